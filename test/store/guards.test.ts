import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import type { Guard } from '../../src/domain/guard.ts';
import type { TrailingStop } from '../../src/domain/trailing-stop.ts';
import { requestExit } from '../../src/store/exits/exits.ts';
import {
  type ArmedGuard,
  acknowledgeGuards,
  amendTrailingStop,
  armGuards,
  checkpointGuards,
  commitTrigger,
  disarmGuards,
  guardsWithoutLease,
  leaveShard,
  loadShard,
  readStop,
  renewLease,
  type ShardLease,
  takeShard,
} from '../../src/store/guards/guards.ts';
import { createListener } from '../../src/store/listener.ts';
import { readOpenTrade } from '../../src/store/trades/positions.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  aRequest,
  d,
  enter,
  messagesTo,
  nextTradeId,
  nowMs,
  openAccount,
  phaseOf,
  recordsOf,
  trailingRules,
} from './fixtures.ts';

let database: TestDatabase;
let request: EntryRequest;
let shard: string;
let count = 0;
beforeAll(async () => {
  database = await aDatabase({ poolMax: 20 });
  await openAccount(database.db);
});
afterAll(() => database.close());
beforeEach(() => {
  count += 1;
  request = aRequest({ tradeId: `trade-${count}` });
  shard = `paper-${count}`;
});

const stopAt = (extreme: string, stopPrice: string, status: TrailingStop['status'] = 'trailing'): TrailingStop => ({
  status,
  extreme: d(extreme),
  stopPrice: d(stopPrice),
});
const trailing = (state = stopAt('100', '99')): Guard => ({ kind: 'trailingStop', terms: trailingRules, state });
const stopLoss: Guard = {
  kind: 'stopLoss',
  terms: { side: 'long', price: d('90') },
  state: { status: 'armed' },
};

const arm = (guards: readonly Guard[] = [stopLoss, trailing()], changed: object = {}) =>
  armGuards(database.db, {
    tradeId: request.tradeId,
    leg: 0,
    venue: 'paper',
    shard,
    symbol: 'BTC/USDT',
    sinceVenueTradeId: 1_000,
    guards,
    nowMs,
    ...changed,
  });

const watch = async (holder = 'worker-1'): Promise<ShardLease> => ({
  shard,
  epoch: await takeShard(database.db, { shard, holder, leaseUntilMs: nowMs + 5_000 }),
});

/** An open trade with both guards armed, and a watch that has taken them up. */
async function armedAndWatched(): Promise<{ lease: ShardLease; rows: readonly ArmedGuard[] }> {
  await enter(database.db, request);
  const lease = await watch();
  await arm();
  const rows = await loadShard(database.db, { shard });
  await acknowledgeGuards(database.db, { ...lease, rows });
  return { lease, rows };
}

const rowOf = (rows: readonly ArmedGuard[], kind: ArmedGuard['kind']): ArmedGuard => {
  const row = rows.find((each) => each.kind === kind);
  if (row === undefined) throw new Error(`no ${kind} is armed`);
  return row;
};

const typesOfGuards = async () =>
  (await recordsOf(database.db, request.tradeId)).map(({ type }) => type).filter((type) => type.startsWith('Stop'));

describe('armGuards', () => {
  test('arms each guard once, with a record each', async () => {
    await enter(database.db, request);
    expect(await arm()).toEqual({ outcome: 'armed' });
    expect(await arm([stopLoss, trailing(stopAt('200', '198'))])).toEqual({ outcome: 'armed' });
    const rows = await loadShard(database.db, { shard });
    expect(rows.map(({ guard }) => guard)).toEqual(expect.arrayContaining([stopLoss, trailing()]));
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ version: 1, acknowledgedVersion: 0, sinceVenueTradeId: 1_000, symbol: 'BTC/USDT' });
    expect(await typesOfGuards()).toEqual(['StopArmed', 'StopArmed']);
  });

  test('starts the watch where nobody watches, and not where somebody does', async () => {
    const { tradeId } = request;
    await enter(database.db, request);
    await arm();
    const started = await messagesTo(database.db, `market-${shard}`);
    expect(started).toMatchObject([
      {
        action: 'signalWithStart',
        workflow_type: 'marketWatch',
        task_queue: 'ratchet-watches',
        start_args: [{ venue: 'paper', shard }],
        signal_name: 'wake',
        trade_id: null,
      },
    ]);
    await watch();
    request = { ...request, tradeId: `${tradeId}-second` };
    await enter(database.db, request);
    await arm();
    expect(await messagesTo(database.db, `market-${shard}`)).toEqual(started);
  });

  test('arms nothing for a trade that has no position, or is on its way out', async () => {
    expect(await arm()).toEqual({ outcome: 'not-open' });
    await enter(database.db, request);
    const { tradeId } = request;
    await requestExit(database.db, { tradeId, reason: 'operator', source: 'api', nowMs });
    expect(await arm()).toEqual({ outcome: 'not-open' });
    expect(await loadShard(database.db, { shard })).toEqual([]);
  });

  test('tells whoever listens', async () => {
    await enter(database.db, request);
    const listener = createListener({ url: database.appUrl, applicationName: 'test', onError: () => {} });
    const heard = (wanted: string) =>
      new Promise<void>((resolve) => {
        listener.on('ratchet_guards', (payload) => payload === wanted && resolve());
      });
    const armed = heard(shard);
    // The empty one says that it listens from now on.
    await heard('');
    await arm();
    await armed;
    await listener.close();
  });
});

test('readOpenTrade has what arming needs, until the trade is on its way out', async () => {
  const venueTradeId = String(nextTradeId());
  await enter(database.db, request, { venueTradeId });
  const { tradeId } = request;
  expect(await readOpenTrade(database.db, tradeId)).toEqual({
    tradeId,
    account: 'main',
    strategy: 'ma-cross',
    venue: 'paper',
    leg: 0,
    symbol: 'BTC/USDT',
    side: 'long',
    entryQuantity: '1',
    entryQuote: '100',
    firstVenueTradeId: venueTradeId,
    exit: request.exit,
  });
  await requestExit(database.db, { tradeId, reason: 'operator', source: 'api', nowMs });
  expect(await readOpenTrade(database.db, tradeId)).toBeUndefined();
});

describe('the lease', () => {
  test('belongs to the latest attempt: an earlier one can write nothing any more', async () => {
    const { lease: first, rows } = await armedAndWatched();
    const second = await watch('worker-2');
    expect(second.epoch).toBe(first.epoch + 1);

    const lost = { code: 'WATCH_LEASE_LOST' };
    const change = {
      row: rowOf(rows, 'trailingStop'),
      guard: trailing(stopAt('110', '108.9')),
      activated: false,
      tell: true,
    };
    const trade = { venueTradeId: 1_010, price: d('80'), tradedAtMs: nowMs };
    await expect(renewLease(database.db, { ...first, leaseUntilMs: nowMs + 9_000 })).rejects.toMatchObject(lost);
    await expect(acknowledgeGuards(database.db, { ...first, rows })).rejects.toMatchObject(lost);
    await expect(
      checkpointGuards(database.db, {
        ...first,
        cursors: [],
        changes: [{ ...change, seenVenueTradeId: 1_005 }],
        nowMs,
      }),
    ).rejects.toMatchObject(lost);
    await expect(
      commitTrigger(database.db, { ...first, row: rowOf(rows, 'stopLoss'), guard: stopLoss, trade, nowMs }),
    ).rejects.toMatchObject(lost);
    await expect(leaveShard(database.db, first)).rejects.toMatchObject(lost);

    expect(await readStop(database.db, request.tradeId)).toMatchObject({ stop: { stopPrice: '99' } });
    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
    await renewLease(database.db, { ...second, leaseUntilMs: nowMs + 9_000 });
  });

  test('can be left only when nothing is armed', async () => {
    const { lease } = await armedAndWatched();
    expect(await leaveShard(database.db, lease)).toBe(false);
    await disarmGuards(database.db, { tradeId: request.tradeId, nowMs });
    expect(await leaveShard(database.db, lease)).toBe(true);
  });

  test('is never left behind a guard: either it is seen, or a message starts the next watch', async () => {
    for (let round = 0; round < 20; round += 1) {
      request = aRequest({ tradeId: `race-${count}-${round}` });
      shard = `race-${count}-${round}`;
      await enter(database.db, request);
      const lease = await watch();
      const [left] = await Promise.all([leaveShard(database.db, lease), arm()]);
      const started = await messagesTo(database.db, `market-${shard}`);
      expect([round, left, started.length]).toEqual([round, left, left ? 1 : 0]);
    }
  });

  test('that has run out is named, once there is something to watch', async () => {
    const named = async (atMs: number) =>
      (await guardsWithoutLease(database.db, atMs)).filter((each) => each.shard === shard);
    await armedAndWatched();
    expect(await named(nowMs + 9_999)).toEqual([]);
    expect(await named(nowMs + 10_000)).toEqual([{ shard, armed: 2, sinceMs: nowMs + 5_000 }]);
    await disarmGuards(database.db, { tradeId: request.tradeId, nowMs });
    expect(await named(nowMs + 10_000)).toEqual([]);
  });

  test('that there never was is named from the arming on', async () => {
    await enter(database.db, request);
    await arm();
    const shards = async (atMs: number) => (await guardsWithoutLease(database.db, atMs)).map((each) => each.shard);
    expect(await shards(nowMs + 4_999)).not.toContain(shard);
    expect(await shards(nowMs + 5_000)).toContain(shard);
  });
});

describe('checkpointGuards', () => {
  const checkpoint = (
    lease: ShardLease,
    row: ArmedGuard,
    guard: Guard,
    seenVenueTradeId: number,
    changed: { activated?: boolean; tell?: boolean } = {},
  ) =>
    checkpointGuards(database.db, {
      ...lease,
      cursors: [{ symbol: row.symbol, venueTradeId: seenVenueTradeId }],
      changes: [{ row, guard, seenVenueTradeId, activated: false, tell: false, ...changed }],
      nowMs: nowMs + 250,
    });

  test('writes the state, a record for each stop that moved, and tells when it is asked to', async () => {
    const { lease, rows } = await armedAndWatched();
    const row = rowOf(rows, 'trailingStop');
    const written = await checkpoint(lease, row, trailing(stopAt('110', '108.9')), 1_010);
    expect(written).toEqual(new Set([row.id]));
    await checkpoint(lease, row, trailing(stopAt('120', '118.8')), 1_020, { tell: true });

    expect(await readStop(database.db, request.tradeId)).toEqual({
      tradeId: request.tradeId,
      version: 1,
      rules: trailingRules,
      stop: stopAt('120', '118.8'),
      triggeredAtPrice: null,
    });
    const moves = (await recordsOf(database.db, request.tradeId)).filter(({ type }) => type === 'StopMoved');
    expect(moves.map(({ body }) => [body['from'], body['stopPrice']])).toEqual([
      ['99', '108.9'],
      ['108.9', '118.8'],
    ]);
    expect(await messagesTo(database.db, `stop-${request.tradeId}`)).toMatchObject([
      {
        signal_name: 'guardChanged',
        signal_args: [{ kind: 'trailingStop', version: 1, stop: { stopPrice: '118.8' } }],
      },
    ]);
    expect((await loadShard(database.db, { shard })).find(({ kind }) => kind === 'trailingStop')).toMatchObject({
      sinceVenueTradeId: 1_020,
    });
  });

  test('records an activation as such, and no move that moves no stop', async () => {
    const { lease, rows } = await armedAndWatched();
    const row = rowOf(rows, 'trailingStop');
    await checkpoint(lease, row, trailing(stopAt('100.5', '99')), 1_005);
    await checkpoint(lease, row, trailing(stopAt('100.5', '99')), 1_006, { activated: true, tell: true });
    expect(await typesOfGuards()).toEqual(['StopArmed', 'StopArmed', 'StopActivated']);
  });

  test('leaves a guard alone that was amended, disarmed or triggered meanwhile', async () => {
    const { lease, rows } = await armedAndWatched();
    const row = rowOf(rows, 'trailingStop');
    const amendment = { distance: d('0.5'), actor: 'anna', reason: 'nervous' };
    await amendTrailingStop(database.db, { tradeId: request.tradeId, amendment, nowMs });
    const written = await checkpoint(lease, row, trailing(stopAt('110', '108.9')), 1_010, { tell: true });
    expect(written).toEqual(new Set());
    // Nor has the cursor come by what the book does not have.
    expect(rowOf(await loadShard(database.db, { shard }), 'trailingStop').sinceVenueTradeId).toBe(1_000);
    expect(await readStop(database.db, request.tradeId)).toMatchObject({ version: 2, stop: { extreme: '100' } });
    await disarmGuards(database.db, { tradeId: request.tradeId, nowMs });
    await checkpoint(lease, { ...row, version: 2 }, trailing(stopAt('110', '108.9')), 1_011, { tell: true });
    expect(await readStop(database.db, request.tradeId)).toMatchObject({ stop: { extreme: '100' } });
    expect(await messagesTo(database.db, `stop-${request.tradeId}`)).toEqual([]);
  });

  test('does not let the cursor of the others speak for a guard that was armed later', async () => {
    const { lease, rows } = await armedAndWatched();
    const since = async (tradeId: string) =>
      (await loadShard(database.db, { shard })).find((row) => row.tradeId === tradeId && row.kind === 'stopLoss')
        ?.sinceVenueTradeId;
    const cursor = (venueTradeId: number) =>
      checkpointGuards(database.db, { ...lease, cursors: [{ symbol: 'BTC/USDT', venueTradeId }], changes: [], nowMs });
    const first = request.tradeId;
    await cursor(1_500);
    expect(await since(first)).toBe(1_500);

    request = { ...request, tradeId: `${first}-late` };
    await enter(database.db, request);
    await arm([stopLoss], { sinceVenueTradeId: 1_490 });
    expect(await since(request.tradeId)).toBe(1_490);
    await acknowledgeGuards(database.db, { ...lease, rows: await loadShard(database.db, { shard }) });
    expect(await since(request.tradeId)).toBe(1_490);
    await cursor(1_495);
    expect(await since(request.tradeId)).toBe(1_490);
    await cursor(1_600);
    expect(await since(request.tradeId)).toBe(1_600);
    expect(rows).toHaveLength(2);
  });
});

describe('commitTrigger', () => {
  const trigger = (lease: ShardLease, row: ArmedGuard, guard: Guard = row.guard) =>
    commitTrigger(database.db, {
      ...lease,
      row,
      guard,
      trade: { venueTradeId: 1_050, price: d('89.5'), tradedAtMs: nowMs + 40 },
      nowMs: nowMs + 50,
    });
  const triggered = (guard: Guard): Guard => ({ ...guard, state: { ...guard.state, status: 'triggered' } }) as Guard;

  test('commits the trigger with the exit, one record, and whom it concerns', async () => {
    const { lease, rows } = await armedAndWatched();
    const row = rowOf(rows, 'trailingStop');

    expect(await trigger(lease, row, triggered(row.guard))).toEqual({ outcome: 'triggered' });

    expect(await phaseOf(database.db, request.tradeId)).toBe('closing');
    expect(await messagesTo(database.db, `exit-${request.tradeId}`)).toMatchObject([
      { action: 'start', start_args: [{ reason: 'trailingStop' }] },
    ]);
    const told = { kind: 'trailingStop', triggered: { price: '89.5', venueTradeId: '1050', atMs: nowMs + 40 } };
    for (const workflow of ['stop', 'position']) {
      const changes = (await messagesTo(database.db, `${workflow}-${request.tradeId}`)).filter(
        ({ signal_name }) => signal_name === 'guardChanged',
      );
      expect(changes).toMatchObject([{ signal_args: [told] }]);
    }
    expect(await readStop(database.db, request.tradeId)).toMatchObject({
      triggeredAtPrice: '89.5',
      stop: { status: 'triggered' },
    });
    expect((await typesOfGuards()).slice(2)).toEqual(['StopTriggered']);
    expect((await loadShard(database.db, { shard })).map(({ kind }) => kind)).toEqual(['stopLoss']);
  });

  test('does nothing for a trade that is on its way out, or over', async () => {
    const { lease, rows } = await armedAndWatched();
    await trigger(lease, rowOf(rows, 'trailingStop'));
    expect(await trigger(lease, rowOf(rows, 'trailingStop'))).toEqual({ outcome: 'already' });
    expect(await trigger(lease, rowOf(rows, 'stopLoss'))).toEqual({ outcome: 'already' });
    expect(await messagesTo(database.db, `exit-${request.tradeId}`)).toHaveLength(1);
    const gone = { ...rowOf(rows, 'stopLoss'), tradeId: 'nobody' };
    expect(await trigger(lease, gone)).toEqual({ outcome: 'over' });
  });

  test('counts a trigger of an older version', async () => {
    const { lease, rows } = await armedAndWatched();
    const amendment = { distance: d('0.5'), actor: 'anna', reason: 'nervous' };
    await amendTrailingStop(database.db, { tradeId: request.tradeId, amendment, nowMs });
    expect(await trigger(lease, rowOf(rows, 'trailingStop'))).toEqual({ outcome: 'triggered' });
  });

  test('lets one of the guards, the person and the clock win', async () => {
    const { lease, rows } = await armedAndWatched();
    const { tradeId } = request;
    const outcomes = await Promise.all([
      trigger(lease, rowOf(rows, 'stopLoss')).then(({ outcome }) => outcome),
      trigger(lease, rowOf(rows, 'trailingStop')).then(({ outcome }) => outcome),
      requestExit(database.db, { tradeId, reason: 'operator', source: 'api', nowMs }),
      requestExit(database.db, { tradeId, reason: 'timeStop', source: 'positionMonitoring', nowMs }),
    ]);
    expect(outcomes.filter((outcome) => outcome === 'triggered' || outcome === 'requested')).toHaveLength(1);
    expect(await messagesTo(database.db, `exit-${tradeId}`)).toHaveLength(1);
  });
});

describe('amendTrailingStop', () => {
  const amend = (distance: string) =>
    amendTrailingStop(database.db, {
      tradeId: request.tradeId,
      amendment: { distance: d(distance), actor: 'anna', reason: 'nervous' },
      nowMs,
    });

  test('tightens, with a version and a record; the same again changes nothing', async () => {
    await armedAndWatched();
    const amended = await amend('0.5');
    expect(amended).toMatchObject({
      outcome: 'amended',
      view: { version: 2, rules: { distance: '0.5' }, stop: { stopPrice: '99.5' } },
    });
    expect(await amend('0.5')).toEqual(amended);
    expect((await typesOfGuards()).slice(2)).toEqual(['StopAmended']);
    const row = (await loadShard(database.db, { shard })).find(({ kind }) => kind === 'trailingStop');
    expect(row).toMatchObject({ version: 2, acknowledgedVersion: 1 });
  });

  test('refuses to loosen, and a trade without a running stop', async () => {
    await armedAndWatched();
    expect(await amend('2')).toMatchObject({ outcome: 'refused' });
    await disarmGuards(database.db, { tradeId: request.tradeId, nowMs });
    expect(await amend('0.5')).toMatchObject({ outcome: 'refused' });
    request = { ...request, tradeId: 'nobody' };
    expect(await amend('0.5')).toMatchObject({ outcome: 'refused' });
  });
});

test('disarmGuards takes all of a trade off the watch, once', async () => {
  await armedAndWatched();
  await disarmGuards(database.db, { tradeId: request.tradeId, nowMs });
  await disarmGuards(database.db, { tradeId: request.tradeId, nowMs: nowMs + 1 });
  expect(await loadShard(database.db, { shard })).toEqual([]);
  expect((await typesOfGuards()).slice(2)).toEqual(['StopDisarmed', 'StopDisarmed']);
});
