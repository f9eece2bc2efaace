import { describe, expect, test } from 'vitest';
import { requestExit, settleTrade } from '../../src/store/exits/exits.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { alertUnresolved, parkOrder, resolveOrder } from '../../src/store/orders/order-settling.ts';
import { commitResend } from '../../src/store/orders/resend-intent.ts';
import { database, request } from './account-each.ts';
import { committed, d, enter, entryIntent, exitIntent, nowMs, phaseOf, placeEntry } from './fixtures.ts';

/** The alerts about this trade that have not ended. */
const openAlerts = async (): Promise<readonly string[]> => {
  const { db } = database;
  const rows = await db.selectFrom('alert').selectAll().where('resolved_at_ms', 'is', null).execute();
  return rows.filter(({ context }) => context['tradeId'] === request.tradeId).map(({ code }) => code);
};

describe('an order that has stayed unknown for a minute', () => {
  const lateMs = nowMs + 60_000;

  test('is told of, once', async () => {
    const order = await placeEntry(database.db, request);
    await alertUnresolved(database.db, order, nowMs + 49_999);
    expect(await openAlerts()).toEqual([]);
    await alertUnresolved(database.db, order, lateMs);
    await alertUnresolved(database.db, order, lateMs);
    expect(await openAlerts()).toEqual(['ORDER_UNRESOLVED']);
  });

  test('is told of no longer when its next generation is intended', async () => {
    const dead = await placeEntry(database.db, request);
    await alertUnresolved(database.db, dead, lateMs);
    const next = { clientOrderId: `${request.tradeId}-e2`, generation: 2, signedAtMs: lateMs, nowMs: lateMs };
    const resend = () => commitResend(database.db, { dead, intent: entryIntent(request, next) });
    expect(await resend()).toMatchObject({ outcome: 'committed', order: { generation: 2 } });
    expect(await openAlerts()).toEqual([]);
    expect(await resend()).toEqual({ outcome: 'existing' });
  });

  test('goes on being told of while its next generation may not be sent', async () => {
    const dead = await placeEntry(database.db, request);
    await alertUnresolved(database.db, dead, lateMs);
    const { tradeId } = request;
    await requestExit(database.db, { tradeId, reason: 'operator', source: 'api', actor: 'anna', nowMs });
    const intent = entryIntent(request, { clientOrderId: `${tradeId}-e2`, generation: 2, nowMs: lateMs });
    expect(await commitResend(database.db, { dead, intent })).toEqual({ outcome: 'exit-requested' });
    expect(await openAlerts()).toEqual(['ORDER_UNRESOLVED']);
  });
});

describe('a parked exit of a trade that is closed', () => {
  const resolve = (clientOrderId: string, verdict: 'dead' | 'look-again') =>
    resolveOrder(database.db, {
      clientOrderId,
      verdict,
      actor: 'anna',
      reason: 'looked at the venue',
      commandId: `${clientOrderId}-${verdict}`,
      nowMs: nowMs + 60_000,
    });

  test.each(['exit', 'stop'] as const)('is not asked for again, since nobody waits for it: a %s', async (purpose) => {
    await enter(database.db, request);
    const lost = committed(await commitIntent(database.db, { ...exitIntent(request, d('0.5')), purpose }));
    await parkOrder(database.db, { clientOrderId: lost.clientOrderId, nowMs });
    const { tradeId } = request;
    await requestExit(database.db, { tradeId, reason: 'operator', source: 'api', actor: 'anna', nowMs });
    await settleTrade(database.db, { tradeId, isSettled: () => true, nowMs });
    expect(await phaseOf(database.db, tradeId)).toBe('closed');

    await expect(resolve(lost.clientOrderId, 'look-again')).rejects.toMatchObject({ code: 'ORDER_TRADE_CLOSED' });
    expect(await openAlerts()).toContain('ORDER_PARKED');

    expect(await resolve(lost.clientOrderId, 'dead')).toMatchObject({ reported: { status: 'canceled' } });
    expect(await openAlerts()).not.toContain('ORDER_PARKED');
  });

  test('is asked for again while the trade is on its way out', async () => {
    await enter(database.db, request);
    const lost = committed(await commitIntent(database.db, exitIntent(request, d('0.5'))));
    await parkOrder(database.db, { clientOrderId: lost.clientOrderId, nowMs });
    expect(await resolve(lost.clientOrderId, 'look-again')).toMatchObject({
      reported: { status: 'pendingNew', inDoubt: true },
    });
  });
});
