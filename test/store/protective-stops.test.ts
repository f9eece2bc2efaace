import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { Guard } from '../../src/domain/guard.ts';
import type { TrailingStop } from '../../src/domain/trailing-stop.ts';
import { requestExit, settleTrade } from '../../src/store/exits/exits.ts';
import {
  acknowledgeGuards,
  armGuards,
  checkpointGuards,
  commitTrigger,
  loadShard,
  takeShard,
} from '../../src/store/guards/guards.ts';
import { readProtection } from '../../src/store/guards/protective-stops.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { parkOrder, recordSend } from '../../src/store/orders/orders.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  aFill,
  alertCodes,
  aRequest,
  committed,
  d,
  enter,
  entryIntent,
  exitIntent,
  messagesTo,
  nextTradeId,
  nowMs,
  openAccount,
  phaseOf,
  placeEntry,
  recordsOf,
  report,
  sent,
  trailingRules,
  venueOrder,
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
  shard = `paper-${count}`;
  request = aRequest({
    tradeId: `trade-${count}`,
    exit: {
      stopLoss: { price: d('90') },
      protectiveStop: { at: 'venue', limitOffsetBps: 50, moveStepBps: 20, moveIntervalMs: 60_000 },
    },
  });
});

const stopLoss: Guard = { kind: 'stopLoss', terms: { side: 'long', price: d('90') }, state: { status: 'armed' } };
const trail = (stopPrice: string): TrailingStop => ({
  status: 'trailing',
  extreme: d('100'),
  stopPrice: d(stopPrice),
});
const trailing = (stopPrice: string): Guard => ({
  kind: 'trailingStop',
  terms: trailingRules,
  state: trail(stopPrice),
});

const arm = (...guards: readonly Guard[]) =>
  armGuards(database.db, {
    tradeId: request.tradeId,
    leg: 0,
    venue: 'paper',
    shard,
    symbol: 'BTC/USDT',
    sinceVenueTradeId: 1_000,
    guards,
    nowMs,
  });

/** A stop of 1 BTC from 90, as the venue has taken it. */
async function held(generation = 1, quantity = '1'): Promise<BookOrder> {
  const order = await intended(generation, quantity);
  await report(database.db, atVenue(order, 'new', '0'));
  return order;
}
const intended = async (generation = 1, quantity = '1') => committed(await intend(generation, quantity));
const intend = (generation: number, quantity: string) =>
  commitIntent(database.db, {
    ...entryIntent(request),
    clientOrderId: `${request.tradeId}-s${generation}`,
    purpose: 'stop',
    generation,
    side: 'SELL',
    orderType: 'STOP_LIMIT',
    quantity: decimal(quantity),
    limitPrice: d('89'),
    stopPrice: d('90'),
  });
const atVenue = (order: BookOrder, ...said: [Parameters<typeof venueOrder>[1], string]) => {
  const [status, filled] = said;
  const fills = filled === '0' ? [] : [aFill(String(nextTradeId()), filled, { price: d('89.9') })];
  return venueOrder(order, status, filled, fills, { stopPrice: d('90') });
};

const read = () => readProtection(database.db, request.tradeId);
const toKeeper = async () =>
  (await messagesTo(database.db, `protect-${request.tradeId}`)).map(({ signal_name }) => signal_name);

describe('what is to be protected', () => {
  test('is what is held net of fees in the base asset, where the tightest guard stands', async () => {
    await enter(database.db, request, { fee: d('0.001'), feeAsset: 'BTC' });
    expect(await read()).toMatchObject({ position: { held: '0.999', localStop: null, isArmed: false } });
    await arm(stopLoss, trailing('92'));
    await held(1, '0.999');
    expect(await read()).toMatchObject({
      symbol: 'BTC/USDT',
      terms: { moveStepBps: 20 },
      position: {
        side: 'long',
        isLeaving: false,
        localStop: '92',
        orders: [{ generation: 1, status: 'new', quantity: '0.999', stopPrice: '90', wouldTrigger: false }],
      },
    });
  });

  test('is decided on the last of many stops, and on those that are not settled', async () => {
    await enter(database.db, request);
    await report(database.db, atVenue(await intended(1, '0.1'), 'new', '0'));
    for (let generation = 2; generation <= 14; generation += 1) {
      const order = await held(generation, '0.5');
      await report(database.db, atVenue(order, 'canceled', '0'));
    }
    const generations = (await read())?.position.orders.map((order) => order.generation);
    expect(generations).toEqual([1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  });

  test('is nothing where the request asks for none, and leaves once the exit was asked for', async () => {
    await enter(database.db, request);
    await requestExit(database.db, { tradeId: request.tradeId, reason: 'operator', source: 'test', nowMs });
    expect(await read()).toMatchObject({ position: { isLeaving: true } });
    request = aRequest({ tradeId: `${request.tradeId}-without` });
    await enter(database.db, request);
    expect(await read()).toBeUndefined();
  });
});

describe('a stop that the venue has filled', () => {
  test('asks for the exit in the same transaction, once, and the exit is told of it', async () => {
    await enter(database.db, request);
    const order = await held();
    const said = atVenue(order, 'filled', '1');
    for (let times = 0; times < 2; times += 1) await report(database.db, said);
    expect(await phaseOf(database.db, request.tradeId)).toBe('closing');
    const asked = (await recordsOf(database.db, request.tradeId)).filter(({ type }) => type === 'ExitRequested');
    expect(asked).toMatchObject([{ body: { reason: 'protectiveStop', actor: { type: 'venue', id: 'paper' } } }]);
    const [start, ...told] = await messagesTo(database.db, `exit-${request.tradeId}`);
    expect(start).toMatchObject({ action: 'start', workflow_type: 'exit' });
    expect(told).toMatchObject([{ signal_name: 'orderReported' }, ...told.slice(1)]);
  });

  test('in part asks for nothing: the local guard stays armed, and its keeper is told', async () => {
    await enter(database.db, request);
    const order = await held();
    await report(database.db, atVenue(order, 'partiallyFilled', '0.4'));
    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
    expect(await read()).toMatchObject({ position: { held: '0.6', orders: [{ status: 'partiallyFilled' }] } });
    expect(await toKeeper()).toEqual(['orderReported', 'orderReported']);
  });

  test('while the position is on its way out changes nothing about why', async () => {
    await enter(database.db, request);
    const order = await held();
    await requestExit(database.db, { tradeId: request.tradeId, reason: 'operator', source: 'test', nowMs });
    await report(database.db, atVenue(order, 'filled', '1'));
    const { exit_reason } = await database.db
      .selectFrom('trade')
      .select('exit_reason')
      .where('trade_id', '=', request.tradeId)
      .executeTakeFirstOrThrow();
    expect(exit_reason).toBe('operator');
  });
});

describe('what is or may be sold', () => {
  test('is never more than is held, exits and stops together', async () => {
    await enter(database.db, request);
    await held(1, '0.7');
    const attempt = (quantity: string) => commitIntent(database.db, exitIntent(request, d(quantity)));
    expect(await attempt('0.31')).toMatchObject({ outcome: 'exceeds-position', quantityLeft: '0.3' });
    expect(await attempt('0.3')).toMatchObject({ outcome: 'committed' });
  });

  test('is the business of the exit alone once it was asked for', async () => {
    await enter(database.db, request);
    await intended(1, '0.5');
    await requestExit(database.db, { tradeId: request.tradeId, reason: 'operator', source: 'test', nowMs });
    expect(await intend(2, '0.5')).toMatchObject({ outcome: 'exit-requested' });
    // What may have been sent before is not sent again, and not forgotten.
    expect(await intend(1, '0.5')).toMatchObject({ outcome: 'existing' });
  });
});

describe('the keeper is told', () => {
  test('when the entry fills more', async () => {
    const order = await placeEntry(database.db, request);
    await report(database.db, venueOrder(order, 'partiallyFilled', '0.4', [aFill(String(nextTradeId()), '0.4')]));
    expect(await toKeeper()).toEqual([]);
    await report(database.db, venueOrder(order, 'filled', '1', [aFill(String(nextTradeId()), '0.6')]));
    expect(await toKeeper()).toEqual(['entryProgressed']);
  });

  test('when the local stop moves or triggers', async () => {
    await enter(database.db, request);
    await arm(stopLoss, trailing('92'));
    const epoch = await takeShard(database.db, { shard, holder: 'test', leaseUntilMs: nowMs + 9_000 });
    const lease = { shard, epoch };
    const rows = await loadShard(database.db, { shard });
    await acknowledgeGuards(database.db, { ...lease, rows });
    const row = rows.find(({ kind }) => kind === 'trailingStop');
    if (row === undefined) throw new Error('the trailing stop is armed');
    const change = { row, guard: trailing('95'), seenVenueTradeId: 1_010, activated: false };
    await checkpointGuards(database.db, { ...lease, cursors: [], changes: [{ ...change, tell: false }], nowMs });
    expect(await toKeeper()).toEqual([]);
    const further = { ...change, guard: trailing('96'), seenVenueTradeId: 1_020, tell: true };
    await checkpointGuards(database.db, { ...lease, cursors: [], changes: [further], nowMs });
    expect(await toKeeper()).toEqual(['guardChanged']);
    const seen = { venueTradeId: 1_030, price: d('95'), tradedAtMs: nowMs };
    await commitTrigger(database.db, { ...lease, row, guard: trailing('96'), trade: seen, nowMs });
    expect(await toKeeper()).toEqual(['guardChanged', 'guardChanged']);
  });
});

describe('a stop that the venue refuses', () => {
  test('is an alert until the venue takes one', async () => {
    await enter(database.db, request);
    const { clientOrderId } = await intended();
    const detail = 'Filter failure: MAX_NUM_ALGO_ORDERS';
    await recordSend(database.db, { clientOrderId, send: sent('REJECTED', { venueCode: -1013, detail }), nowMs });
    expect(await alertCodes(database.db)).toContain('PROTECTIVE_STOP_UNAVAILABLE');
    await report(database.db, atVenue(await intended(2), 'expired', '0'));
    expect(await alertCodes(database.db)).toContain('PROTECTIVE_STOP_UNAVAILABLE');
    await held(3);
    expect(await alertCodes(database.db)).not.toContain('PROTECTIVE_STOP_UNAVAILABLE');
  });

  test('because its price was traded is none, and it is known', async () => {
    await enter(database.db, request);
    const { clientOrderId } = await intended();
    const send = sent('REJECTED', { detail: '-2010 Order would trigger immediately.' });
    await recordSend(database.db, { clientOrderId, send, nowMs });
    expect(await alertCodes(database.db)).toEqual([]);
    expect(await read()).toMatchObject({ position: { orders: [{ status: 'rejected', wouldTrigger: true }] } });
  });
});

describe('a trade that is closed', () => {
  const settle = () => settleTrade(database.db, { tradeId: request.tradeId, isSettled: () => true, nowMs });

  test('without the exit that the venue refuses ends the alert of it', async () => {
    await enter(database.db, request);
    const stop = await held(1, '0.6');
    await requestExit(database.db, { tradeId: request.tradeId, reason: 'operator', source: 'test', nowMs });
    const { clientOrderId } = committed(await commitIntent(database.db, exitIntent(request, d('0.4'))));
    await recordSend(database.db, { clientOrderId, send: sent('REJECTED'), nowMs });
    await report(database.db, atVenue(stop, 'filled', '0.6'));
    expect(await alertCodes(database.db)).toContain('EXIT_REFUSED');
    expect(await settle()).toMatchObject([{ exitQuantity: '0.6' }]);
    expect(await alertCodes(database.db)).not.toContain('EXIT_REFUSED');
  });

  test('leaves the alert of a parked stop open, which may yet fill', async () => {
    await enter(database.db, request);
    const { clientOrderId } = await intended(1, '0.4');
    await parkOrder(database.db, { clientOrderId, nowMs });
    await requestExit(database.db, { tradeId: request.tradeId, reason: 'operator', source: 'test', nowMs });
    const exit = committed(await commitIntent(database.db, exitIntent(request, d('1'))));
    await report(database.db, venueOrder(exit, 'filled', '1', [aFill(String(nextTradeId()), '1')]));
    expect(await settle()).toMatchObject([{ exitQuantity: '1' }]);
    expect(await alertCodes(database.db)).toContain('ORDER_PARKED');
  });
});
