import { describe, expect, test } from 'vitest';
import type { OutcomeClass } from '../../src/domain/outcome.ts';
import { commitIntent, renewIntent } from '../../src/store/orders/intents.ts';
import type { SendOutcome } from '../../src/store/orders/order-reports.ts';
import { recordSend } from '../../src/store/orders/order-sends.ts';
import { alertUnresolved, denyOrder, parkOrder, resolveOrder } from '../../src/store/orders/order-settling.ts';
import { database, request } from './account-each.ts';
import {
  aFill,
  alertCodes,
  aRequest,
  decide,
  enter,
  entryIntent,
  messagesTo,
  nextTradeId,
  nowMs,
  phaseOf,
  placeEntry,
  recordsOf,
  report,
  reservationOf,
  sent,
  typesOf,
  venueOrder,
} from './fixtures.ts';

describe('recordSend', () => {
  const outcomes = () =>
    database.db
      .selectFrom('breaker_outcome')
      .select('kind')
      .where('scope', '=', `account-${request.account}`)
      .execute();
  const send = (outcome: OutcomeClass, changed: Partial<SendOutcome> = {}) =>
    recordSend(database.db, { clientOrderId: `${request.tradeId}-e1`, send: sent(outcome, changed), nowMs: nowMs + 5 });

  test('ends an order that the venue rejected, and gives the reservation back', async () => {
    await placeEntry(database.db, request);
    expect(await send('REJECTED')).toMatchObject({
      status: 'rejected',
      reasonCode: 'ORDER_REJECTED',
      reason: 'as the venue says',
    });
    expect(await phaseOf(database.db, request.tradeId)).toBe('unfilled');
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ voided: '1', why: 'ORDER_REJECTED' });
    expect((await typesOf(database.db, request.tradeId)).slice(2)).toEqual(['OrderRejected', 'ReservationVoided']);
  });

  test('keeps the reservation of an order in doubt', async () => {
    await placeEntry(database.db, request);
    expect(await send('UNKNOWN', { httpStatus: null })).toMatchObject({ status: 'pendingNew', inDoubt: true });
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ posted: '0', voided: '0' });
    expect(await typesOf(database.db, request.tradeId)).toEqual(['TradeDecided', 'OrderIntent', 'OrderUnknown']);
  });

  test.each<OutcomeClass>(['REJECTED', 'FATAL_CONFIG', 'THROTTLED', 'NOT_SENT'])(
    'does not let a later %s settle an earlier unknown',
    async (later) => {
      await placeEntry(database.db, request);
      await send('NOT_SENT');
      await renewIntent(database.db, {
        clientOrderId: `${request.tradeId}-e1`,
        fromEpoch: 1,
        signedAtMs: nowMs + 4_000,
        nowMs: nowMs + 4_000,
      });
      await send('UNKNOWN', { epoch: 2 });

      // Neither for the same send nor for another one.
      await send(later, { epoch: 2 });
      const reported = await send(later, { epoch: 1 });

      expect(reported).toMatchObject({ status: 'pendingNew', inDoubt: true });
      expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ voided: '0' });
    },
  );

  test('changes nothing in an order that the venue has answered for already', async () => {
    const order = await placeEntry(database.db, request);
    await report(database.db, venueOrder(order, 'filled', '1', [aFill(String(nextTradeId()), '1')]));
    expect(await send('UNKNOWN')).toMatchObject({ status: 'filled', inDoubt: false });
    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
  });

  test('tells nothing twice', async () => {
    await placeEntry(database.db, request);
    await send('UNKNOWN', { httpStatus: 504, venueCode: -1007 });
    const messages = await messagesTo(database.db, `entry-${request.tradeId}`);
    await send('UNKNOWN', { httpStatus: 504, venueCode: -1007 });
    expect(await messagesTo(database.db, `entry-${request.tradeId}`)).toEqual(messages);
    expect(await typesOf(database.db, request.tradeId)).toHaveLength(3);
    expect(await outcomes()).toEqual([{ kind: 'failure' }]);
  });

  test.each<OutcomeClass>(['THROTTLED', 'NOT_SENT'])(
    'counts no %s that was held back on this side',
    async (outcome) => {
      await placeEntry(database.db, request);
      await send(outcome, { httpStatus: null, isHeldBack: true });
      expect(await outcomes()).toEqual([]);
    },
  );

  test.each<[OutcomeClass, number | null, boolean]>([
    ['UNKNOWN', null, true],
    ['NOT_SENT', null, true],
    ['UNKNOWN', 504, true],
    ['THROTTLED', 429, true],
    ['THROTTLED', 418, true],
    ['REJECTED', 400, false],
    ['NOT_SENT', 400, false],
    ['UNKNOWN', 200, false],
  ])('counts %s with HTTP %s for the breaker: %s', async (outcome, httpStatus, counts) => {
    await placeEntry(database.db, request);
    await send(outcome, { httpStatus });
    expect(await outcomes()).toEqual(counts ? [{ kind: 'failure' }] : []);
  });

  test('holds the account when the venue refuses its key', async () => {
    await placeEntry(database.db, request);
    expect(await send('FATAL_CONFIG', { venueCode: -2015 })).toMatchObject({
      status: 'rejected',
      reasonCode: 'VENUE_KEY_REFUSED',
    });
    const next = aRequest({ ...request, tradeId: `${request.tradeId}-next` });
    await decide(database.db, next);
    expect(await commitIntent(database.db, entryIntent(next))).toMatchObject({ outcome: 'held' });
    expect(await alertCodes(database.db)).toContain('VENUE_KEY_REFUSED');
  });
});

describe('denyOrder', () => {
  const deny = (purpose: 'entry' | 'exit' = 'entry') =>
    denyOrder(database.db, {
      order: {
        tradeId: request.tradeId,
        leg: 0,
        purpose,
        generation: 1,
        clientOrderId: `${request.tradeId}-${purpose === 'entry' ? 'e1' : 'x1'}`,
      },
      code: 'TRADING_STATE_BLOCKED',
      note: 'hold-7',
      nowMs,
    });

  test('gives back what was reserved for an entry without an intent, once and for good', async () => {
    await decide(database.db, request);
    const denied = await deny();
    expect(denied).toMatchObject({ status: 'denied', reasonCode: 'TRADING_STATE_BLOCKED', reason: 'hold-7' });
    expect(await deny()).toEqual(denied);
    expect(await phaseOf(database.db, request.tradeId)).toBe('unfilled');
    expect(await typesOf(database.db, request.tradeId)).toEqual(['TradeDecided', 'ReservationVoided', 'EntryDenied']);
    expect(await commitIntent(database.db, entryIntent(request))).toMatchObject({ outcome: 'exceeds-reservation' });
  });

  test('denies an order of which every send definitely did not arrive', async () => {
    const order = await placeEntry(database.db, request);
    await recordSend(database.db, { clientOrderId: order.clientOrderId, send: sent('THROTTLED'), nowMs });
    expect(await deny()).toMatchObject({ status: 'denied' });
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ voided: '1' });
  });

  test('denies no order that may be at the venue', async () => {
    const order = await placeEntry(database.db, request);
    expect(await deny()).toMatchObject({ status: 'pendingNew' });
    await recordSend(database.db, { clientOrderId: order.clientOrderId, send: sent('UNKNOWN'), nowMs });
    expect(await deny()).toMatchObject({ status: 'pendingNew', inDoubt: true });
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ voided: '0' });
  });

  test('refuses an exit without an intent and changes nothing', async () => {
    await enter(database.db, request);
    expect(await deny('exit')).toMatchObject({ status: 'denied', purpose: 'exit' });
    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
  });
});

describe('parkOrder and resolveOrder', () => {
  const park = () => parkOrder(database.db, { clientOrderId: `${request.tradeId}-e1`, nowMs: nowMs + 33_001 });
  const resolve = (verdict: 'dead' | 'look-again', commandId = `${request.tradeId}-${verdict}`) =>
    resolveOrder(database.db, {
      clientOrderId: `${request.tradeId}-e1`,
      verdict,
      actor: 'anna',
      reason: 'looked at the venue',
      commandId,
      nowMs: nowMs + 60_000,
    });
  const parkedAlerts = () =>
    database.db
      .selectFrom('alert')
      .selectAll()
      .where('condition_key', '=', `order-parked:${request.tradeId}-e1`)
      .where('resolved_at_ms', 'is', null)
      .execute();

  test('parks an order with its reservation and one alert', async () => {
    await placeEntry(database.db, request);
    expect(await park()).toMatchObject({ status: 'parked', inDoubt: true });
    expect(await park()).toMatchObject({ status: 'parked' });
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ posted: '0', voided: '0' });
    expect(await parkedAlerts()).toMatchObject([{ severity: 'CRITICAL', code: 'ORDER_PARKED' }]);
    expect(await phaseOf(database.db, request.tradeId)).toBe('placing');
    const types = await typesOf(database.db, request.tradeId);
    expect(types.filter((type) => type === 'OrderParked')).toHaveLength(1);
  });

  test('parks nothing that the venue has answered for', async () => {
    const order = await placeEntry(database.db, request);
    await report(database.db, venueOrder(order, 'new', '0'));
    expect(await park()).toMatchObject({ status: 'new' });
    expect(await parkedAlerts()).toEqual([]);
  });

  test('adopts a parked order that appears after all, and ends the alert', async () => {
    const order = await placeEntry(database.db, request);
    await park();
    await report(database.db, venueOrder(order, 'filled', '1', [aFill(String(nextTradeId()), '1')]));
    expect(await parkedAlerts()).toEqual([]);
    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
    expect(await typesOf(database.db, request.tradeId)).toContain('OrderResolved');
  });

  test('ends an order that a person has found dead: reservation, alert and trade', async () => {
    await placeEntry(database.db, request);
    await park();

    const resolved = await resolve('dead');

    expect(resolved).toMatchObject({ outcome: 'resolved', reported: { status: 'canceled', inDoubt: false } });
    expect(await resolve('dead')).toEqual(resolved);
    expect(await phaseOf(database.db, request.tradeId)).toBe('unfilled');
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({
      voided: '1',
      why: 'ORDER_DECLARED_DEAD',
    });
    expect(await parkedAlerts()).toEqual([]);
    const settled = (await recordsOf(database.db, request.tradeId)).filter(({ type }) => type === 'OrderResolved');
    expect(settled).toMatchObject([{ body: { actor: { type: 'user', id: 'anna' }, verdict: 'dead' } }]);
  });

  test('asks again and again, each with records and an alert of its own', async () => {
    await placeEntry(database.db, request);
    await park();
    expect(await resolve('look-again', `${request.tradeId}-1`)).toMatchObject({
      reported: { status: 'pendingNew', inDoubt: true },
    });
    expect(await parkedAlerts()).toEqual([]);
    await park();
    expect(await parkedAlerts()).toHaveLength(1);
    await resolve('look-again', `${request.tradeId}-2`);
    const types = await typesOf(database.db, request.tradeId);
    expect(types.filter((type) => type === 'OrderParked')).toHaveLength(2);
    expect(types.filter((type) => type === 'OrderResolved')).toHaveLength(2);
  });

  test('refuses what is not parked, what nobody knows, and another command under the same id', async () => {
    await placeEntry(database.db, request);
    expect(await resolve('dead')).toMatchObject({ outcome: 'not-parked' });
    const unknown = { clientOrderId: 'nobody', verdict: 'dead', actor: 'anna', reason: 'x', nowMs } as const;
    expect(await resolveOrder(database.db, unknown)).toEqual({ outcome: 'unknown-order' });
    await expect(resolve('look-again', `${request.tradeId}-dead`)).rejects.toMatchObject({
      code: 'COMMAND_ID_MISMATCH',
    });
  });

  test('raises an order that was declared dead and lives, and guards what it fills', async () => {
    const order = await placeEntry(database.db, request);
    await park();
    await resolve('dead');
    await report(database.db, venueOrder(order, 'new', '0'));
    expect(await alertCodes(database.db)).toContain('DEAD_ORDER_APPEARED');

    await report(database.db, venueOrder(order, 'filled', '1', [aFill(String(nextTradeId()), '1')]));

    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ posted: '0', voided: '1' });
    expect(await alertCodes(database.db)).toContain('FILL_AFTER_CLOSE');
    expect(await messagesTo(database.db, `position-${request.tradeId}`)).toHaveLength(1);
  });
});

test('alertUnresolved tells of an order while it is unknown, and not of one that was heard of meanwhile', async () => {
  const order = await placeEntry(database.db, request);
  await alertUnresolved(database.db, order, nowMs + 49_999);
  expect(await alertCodes(database.db)).not.toContain('ORDER_UNRESOLVED');
  await alertUnresolved(database.db, order, nowMs + 50_000);
  expect(await alertCodes(database.db)).toContain('ORDER_UNRESOLVED');
  await report(database.db, venueOrder(order, 'new', '0'), { nowMs: nowMs + 50_001 });
  await alertUnresolved(database.db, order, nowMs + 50_002);
  expect(await alertCodes(database.db)).not.toContain('ORDER_UNRESOLVED');
});
