import { describe, expect, test } from 'vitest';
import {
  type BreakerTransition,
  breakerDefaults,
  closedBreaker,
  foldOutcomes,
} from '../../src/domain/circuit-breaker.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { recordSend } from '../../src/store/orders/order-sends.ts';
import { addOutcome, applyOutcomes, readBreaker } from '../../src/store/trading-state/breaker.ts';
import { account, database } from './account-each.ts';
import { approving, aRequest, d, decide, entryIntent, nowMs, report, venueOrder } from './fixtures.ts';

const scope = () => `account-${account}`;

const add = (kind: 'failure' | 'success', atMs: number) =>
  database.db
    .transaction()
    .execute((tx) => addOutcome(tx, { account, kind, cause: 'a test', clientOrderId: 'x', nowMs: atMs }));

const read = (atMs = nowMs) => readBreaker(database.db, scope(), atMs);

const fold = async (settings = breakerDefaults) => {
  const { unapplied, version, state } = await read();
  const step = foldOutcomes(settings, state ?? closedBreaker, unapplied);
  const outcomeIds = unapplied.map(({ outcomeId }) => outcomeId);
  return { scope: scope(), outcomeIds, version, ...step, nowMs };
};

const transitionsOf = async () =>
  (
    await database.db
      .selectFrom('audit_event')
      .select(['event_type', 'body'])
      .where('event_type', 'like', 'Breaker%')
      .orderBy('insert_no')
      .execute()
  ).filter(({ body }) => JSON.parse(body).scope === scope());

describe('applyOutcomes', () => {
  test('writes the state, marks what went into it and records the opening once', async () => {
    for (let index = 0; index < 5; index += 1) await add('failure', nowMs + index);
    const folded = await fold();

    expect(await applyOutcomes(database.db, folded)).toBe('applied');
    expect(await applyOutcomes(database.db, folded)).toBe('conflict');

    expect(await read()).toMatchObject({ state: { status: 'OPEN' }, version: 1, unapplied: [] });
    expect((await transitionsOf()).map(({ event_type }) => event_type)).toEqual(['BreakerTripped']);
  });

  test('lets one of two folds at the same time win', async () => {
    await add('failure', nowMs);
    const [first, second] = [await fold(), await fold()];
    const applied = await Promise.all([applyOutcomes(database.db, first), applyOutcomes(database.db, second)]);
    expect(applied.toSorted()).toEqual(['applied', 'conflict']);
    await add('failure', nowMs + 1);
    expect(await applyOutcomes(database.db, await fold())).toBe('applied');
    expect(await read()).toMatchObject({ version: 2, state: { failuresAtMs: [nowMs, nowMs + 1] } });
  });

  test('leaves an outcome for the next fold that became visible behind a later one', async () => {
    const slow = database.another(1);
    await slow.transaction().execute(async (tx) => {
      await addOutcome(tx, { account, kind: 'failure', cause: 'slow', clientOrderId: 'x', nowMs });
      await add('failure', nowMs + 1);
      await applyOutcomes(database.db, await fold());
    });
    expect((await read()).unapplied).toMatchObject([{ cause: 'slow' }]);
  });

  test('records each transition of a fold', async () => {
    const transitions: BreakerTransition[] = [
      { from: 'OPEN', to: 'HALF_OPEN', cause: 'timeout', count: 5, atMs: nowMs },
      { from: 'HALF_OPEN', to: 'CLOSED', cause: 'probes-succeeded', count: 3, atMs: nowMs },
    ];
    await applyOutcomes(database.db, { ...(await fold()), transitions });
    expect((await transitionsOf()).map(({ event_type }) => event_type)).toEqual(['BreakerHalfOpened', 'BreakerReset']);
  });
});

describe('a probe', () => {
  const request = () => aRequest({ tradeId: `${account}-probe`, account });
  const probing = () => ({
    ...approving(request())(),
    probe: { halfOpenAtMs: nowMs, expiresAtMs: nowMs + 60_000 },
  });

  test('counts until it expires', async () => {
    await decide(database.db, request(), probing);
    const { probes } = await read();
    expect(probes).toEqual([{ tradeId: request().tradeId, halfOpenAtMs: nowMs, expiresAtMs: nowMs + 60_000 }]);
    expect((await read(nowMs + 60_000)).probes).toEqual([]);
  });

  test('is let go when its entry can report nothing more', async () => {
    await decide(database.db, request(), probing);
    const intended = await commitIntent(database.db, entryIntent(request()));
    if (intended.outcome !== 'committed') throw new Error(intended.outcome);
    await report(database.db, venueOrder(intended.order, 'new', '0'));
    expect((await read()).probes).toHaveLength(1);
    await report(database.db, venueOrder(intended.order, 'expired', '0'));
    expect((await read()).probes).toEqual([]);
  });

  test('reports a failure of its own send', async () => {
    await decide(database.db, request(), probing);
    const intended = await commitIntent(database.db, entryIntent(request(), { quantity: d('0.5') }));
    if (intended.outcome !== 'committed') throw new Error(intended.outcome);
    const { clientOrderId } = intended.order;
    const send = { epoch: 1, outcome: 'UNKNOWN', httpStatus: 503, venueCode: null, detail: 'no answer' } as const;
    await recordSend(database.db, { clientOrderId, send, nowMs });
    expect(await read()).toMatchObject({ unapplied: [{ kind: 'failure', cause: 'UNKNOWN: HTTP 503' }], probes: [{}] });
  });
});
