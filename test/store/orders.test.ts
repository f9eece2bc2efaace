import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import type { OutcomeClass } from '../../src/domain/outcome.ts';
import { ordersInDoubt, readOrder, workingOrders } from '../../src/store/book-order.ts';
import { commitIntent, renewIntent } from '../../src/store/intents.ts';
import { applyVenueOrder, recordForeignOrder, type SendOutcome } from '../../src/store/order-reports.ts';
import { recordSend } from '../../src/store/order-sends.ts';
import { denyOrder, parkOrder, resolveOrder } from '../../src/store/order-settling.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  aFill,
  alertCodes,
  approving,
  aRequest,
  committed,
  d,
  decide,
  decisionOf,
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
  reservationOf,
  typesOf,
  venueOrder,
} from './fixtures.ts';

let database: TestDatabase;
let request: EntryRequest;
let count = 0;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  count += 1;
  const account = `account-${count}`;
  await openAccount(database.db, account);
  request = aRequest({ tradeId: `trade-${count}`, account });
});

const sent = (outcome: OutcomeClass, changed: Partial<SendOutcome> = {}): SendOutcome => ({
  epoch: 1,
  outcome,
  httpStatus: 400,
  venueCode: -2010,
  detail: 'as the venue says',
  ...changed,
});

describe('commitIntent', () => {
  test('commits an entry once, with its send and its record', async () => {
    await decide(database.db, request);

    const first = await commitIntent(database.db, entryIntent(request));
    const again = await commitIntent(database.db, entryIntent(request));

    expect(first.outcome).toBe('committed');
    expect(again.outcome).toBe('existing');
    expect(await readOrder(database.db, `${request.tradeId}-e1`)).toEqual(committed(first));
    expect(committed(first)).toMatchObject({
      status: 'pendingNew',
      timeInForce: 'GTC',
      sendEpoch: 1,
      sends: [{ epoch: 1, signedAtMs: nowMs, outcome: null }],
    });
    expect(await typesOf(database.db, request.tradeId)).toEqual(['TradeDecided', 'OrderIntent']);
  });

  test('refuses an entry of a trade that was denied, and of one that nobody decided', async () => {
    expect(await commitIntent(database.db, entryIntent(request))).toEqual({ outcome: 'not-approved' });
    await decide(database.db, request, () => ({ decision: decisionOf(request, 'denied'), reservations: [] }));
    expect(await commitIntent(database.db, entryIntent(request))).toEqual({ outcome: 'not-approved' });
  });

  test('refuses more than was reserved, over all entry orders of the leg', async () => {
    await decide(database.db, request);
    expect(await commitIntent(database.db, entryIntent(request, { quantity: d('1.1') }))).toEqual({
      outcome: 'exceeds-reservation',
      quantityLeft: '1',
    });
    committed(await commitIntent(database.db, entryIntent(request, { quantity: d('0.6') })));
    const second = entryIntent(request, { clientOrderId: `${request.tradeId}-e2`, generation: 2, quantity: d('0.5') });
    expect(await commitIntent(database.db, second)).toEqual({ outcome: 'exceeds-reservation', quantityLeft: '0.4' });
  });

  test('lets an exit sell what was bought and not more, whatever is on its way already', async () => {
    await enter(database.db, request, { fee: d('0.001'), feeAsset: 'BTC' });
    expect(await commitIntent(database.db, exitIntent(request, d('1')))).toEqual({
      outcome: 'exceeds-position',
      quantityLeft: '0.999',
    });
    const first = committed(await commitIntent(database.db, exitIntent(request, d('0.6'))));
    expect(await commitIntent(database.db, exitIntent(request, d('0.4'), 2))).toEqual({
      outcome: 'exceeds-position',
      quantityLeft: '0.399',
    });
    await report(database.db, venueOrder(first, 'expired', '0.2', [aFill(String(nextTradeId()), '0.2')]));
    committed(await commitIntent(database.db, exitIntent(request, d('0.799'), 2)));
  });
});

describe('renewIntent', () => {
  const renew = (changed: object = {}) =>
    renewIntent(database.db, {
      clientOrderId: `${request.tradeId}-e1`,
      fromEpoch: 1,
      signedAtMs: nowMs + 3_001,
      nowMs: nowMs + 3_001,
      ...changed,
    });

  test('gives an order that was definitely not sent a timestamp of its own, once', async () => {
    const order = await placeEntry(database.db, request);
    await recordSend(database.db, { clientOrderId: order.clientOrderId, send: sent('NOT_SENT'), nowMs });

    const renewed = await renew();

    expect(renewed).toMatchObject({ outcome: 'renewed', order: { sendEpoch: 2, signedAtMs: nowMs + 3_001 } });
    expect(await renew()).toMatchObject({ outcome: 'superseded' });
    expect(await typesOf(database.db, request.tradeId)).toEqual([
      'TradeDecided',
      'OrderIntent',
      'OrderNotSent',
      'OrderIntentRenewed',
    ]);
  });

  test('refuses while the last timestamp is still valid at the venue', async () => {
    const order = await placeEntry(database.db, request);
    await recordSend(database.db, { clientOrderId: order.clientOrderId, send: sent('THROTTLED'), nowMs });
    expect(await renew({ signedAtMs: nowMs + 3_000 })).toMatchObject({ outcome: 'too-early' });
  });

  test.each<[string, OutcomeClass | null]>([
    ['was never answered', null],
    ['is unknown', 'UNKNOWN'],
  ])('refuses over a send that %s', async (_, outcome) => {
    const order = await placeEntry(database.db, request);
    const { clientOrderId } = order;
    if (outcome !== null) await recordSend(database.db, { clientOrderId, send: sent(outcome), nowMs });
    expect(await renew()).toMatchObject({ outcome: 'in-doubt', reported: { inDoubt: outcome === 'UNKNOWN' } });
  });

  test('refuses an order that has ended', async () => {
    const order = await placeEntry(database.db, request);
    await recordSend(database.db, { clientOrderId: order.clientOrderId, send: sent('REJECTED'), nowMs });
    expect(await renew()).toMatchObject({ outcome: 'not-pending', reported: { status: 'rejected' } });
  });
});

describe('applyVenueOrder', () => {
  test('acknowledges an order and tells its entry', async () => {
    const order = await placeEntry(database.db, request);

    const applied = await applyVenueOrder(database.db, {
      order: venueOrder(order, 'new', '0'),
      via: 'send',
      send: sent('ACCEPTED', { httpStatus: 200, venueCode: null }),
      nowMs,
    });

    expect(applied).toMatchObject({ outcome: 'applied', reported: { status: 'new', fillsComplete: true } });
    expect((await readOrder(database.db, order.clientOrderId))?.sends).toMatchObject([{ outcome: 'ACCEPTED' }]);
    expect(await phaseOf(database.db, request.tradeId)).toBe('working');
    expect(await typesOf(database.db, request.tradeId)).toEqual(['TradeDecided', 'OrderIntent', 'OrderAcked']);
    expect(await messagesTo(database.db, `entry-${request.tradeId}`)).toMatchObject([
      { action: 'signal', signal_name: 'orderReported', signal_args: [applied.reported] },
    ]);
  });

  test('turns a first partial fill into a position and starts its monitor', async () => {
    const order = await placeEntry(database.db, request);
    const fill = aFill(String(nextTradeId()), '0.3', { fee: d('0.03') });

    await report(database.db, venueOrder(order, 'partiallyFilled', '0.3', [fill]));

    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ posted: '0.3', voided: '0' });
    const [message, ...rest] = await messagesTo(database.db, `position-${request.tradeId}`);
    expect(rest).toEqual([]);
    expect(message).toMatchObject({
      action: 'signalWithStart',
      workflow_type: 'positionMonitoring',
      task_queue: 'ratchet-guards',
      signal_name: 'entryProgressed',
      start_args: [{ tradeId: request.tradeId, leg: 0, side: 'long', exit: { stopLoss: { price: '90' } } }],
      signal_args: [
        {
          entryQuantity: '0.3',
          entryQuote: '30',
          isFinal: false,
          firstFillAtMs: fill.transactedAtMs,
          firstVenueTradeId: fill.venueTradeId,
        },
      ],
    });
    expect(await typesOf(database.db, request.tradeId)).toEqual([
      'TradeDecided',
      'OrderIntent',
      'Fill',
      'PositionOpened',
      'OrderAcked',
    ]);
  });

  test('gives back what a canceled entry can not fill any more, and says that the entry is over', async () => {
    const order = await placeEntry(database.db, request);
    await report(database.db, venueOrder(order, 'partiallyFilled', '0.3', [aFill(String(nextTradeId()), '0.3')]));

    await report(database.db, venueOrder(order, 'canceled', '0.3'), { via: 'cancel' });

    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({
      posted: '0.3',
      voided: '0.7',
      why: 'canceled',
    });
    const messages = await messagesTo(database.db, `position-${request.tradeId}`);
    expect(messages.at(-1)?.signal_args).toMatchObject([{ entryQuantity: '0.3', isFinal: true }]);
    expect((await typesOf(database.db, request.tradeId)).slice(-2)).toEqual(['OrderClosed', 'ReservationVoided']);
  });

  test('keeps the reservation while the venue counts fills that the book has not seen', async () => {
    const order = await placeEntry(database.db, request);

    const reported = (await report(database.db, venueOrder(order, 'canceled', '0.3'))).reported;

    expect(reported).toMatchObject({ status: 'canceled', fillsComplete: false, filledQuantity: '0' });
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ posted: '0', voided: '0' });
    expect((await workingOrders(database.db, { account: request.account })).map((o) => o.clientOrderId)).toEqual([
      order.clientOrderId,
    ]);

    const fill = aFill(String(nextTradeId()), '0.3');
    expect((await report(database.db, venueOrder(order, 'canceled', '0.3', [fill]))).reported.fillsComplete).toBe(true);
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ posted: '0.3', voided: '0.7' });
    expect(await workingOrders(database.db, { account: request.account })).toEqual([]);
  });

  test('ends a trade whose entry fills nothing', async () => {
    const order = await placeEntry(database.db, request);
    await report(database.db, venueOrder(order, 'expired', '0'));
    expect(await phaseOf(database.db, request.tradeId)).toBe('unfilled');
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ posted: '0', voided: '1' });
    expect(await messagesTo(database.db, `position-${request.tradeId}`)).toEqual([]);
  });

  test('does nothing the second time', async () => {
    const order = await placeEntry(database.db, request);
    const filled = venueOrder(order, 'filled', '1', [aFill(String(nextTradeId()), '1')]);
    await report(database.db, filled);
    const records = await typesOf(database.db, request.tradeId);
    const messages = await messagesTo(database.db, `entry-${request.tradeId}`);

    expect(await report(database.db, filled)).toMatchObject({ outcome: 'unchanged', reported: { status: 'filled' } });
    expect(await report(database.db, venueOrder(order, 'new', '0'))).toMatchObject({ outcome: 'unchanged' });

    expect(await typesOf(database.db, request.tradeId)).toEqual(records);
    expect(await messagesTo(database.db, `entry-${request.tradeId}`)).toEqual(messages);
  });

  test('counts a completely filled order once for the breaker, and pokes it', async () => {
    const order = await placeEntry(database.db, request);
    await report(database.db, venueOrder(order, 'filled', '1'));
    const outcomes = () =>
      database.db
        .selectFrom('breaker_outcome')
        .selectAll()
        .where('client_order_id', '=', order.clientOrderId)
        .execute();
    expect(await outcomes()).toEqual([]);
    const filled = venueOrder(order, 'filled', '1', [aFill(String(nextTradeId()), '1')]);
    await report(database.db, filled);
    await report(database.db, filled);
    expect(await outcomes()).toMatchObject([{ scope: `account-${request.account}`, kind: 'success' }]);
    expect(await messagesTo(database.db, `breaker-account-${request.account}`)).toMatchObject([
      { signal_name: 'poke' },
    ]);
  });

  test('keeps the first of two fills with one id, and raises the other', async () => {
    const order = await placeEntry(database.db, request);
    const id = String(nextTradeId());
    const said = (price: string) =>
      venueOrder(order, 'partiallyFilled', '0.3', [aFill(id, '0.3', { price: d(price) })]);
    await report(database.db, said('100'));

    for (const price of ['99', '99', '98']) await report(database.db, said(price));

    const position = await database.db
      .selectFrom('position')
      .selectAll()
      .where('trade_id', '=', request.tradeId)
      .executeTakeFirstOrThrow();
    expect(position).toMatchObject({ entry_quantity: '0.3', entry_quote: '30' });
    const corrections = (await recordsOf(database.db, request.tradeId)).filter(({ type }) => type === 'FillCorrection');
    expect(corrections.map(({ body }) => body['reported'])).toMatchObject([{ price: '99' }, { price: '98' }]);
    expect(await alertCodes(database.db)).toContain('FILL_CORRECTED');
  });

  test('values a fee in a third asset at the price that is given, and raises it where none is', async () => {
    const order = await placeEntry(database.db, request);
    const inBnb = (id: number, quantity: string) => aFill(String(id), quantity, { fee: d('0.001'), feeAsset: 'BNB' });
    await report(database.db, venueOrder(order, 'partiallyFilled', '0.3', [inBnb(nextTradeId(), '0.3')]), {
      feeAssetPrices: { BNB: d('600') },
    });
    const quoteFee = async () =>
      (
        await database.db
          .selectFrom('position')
          .select('quote_fee')
          .where('trade_id', '=', request.tradeId)
          .executeTakeFirstOrThrow()
      ).quote_fee;
    expect(await quoteFee()).toBe('0.6');
    expect(await alertCodes(database.db)).not.toContain('FEE_UNVALUED');
    await report(database.db, venueOrder(order, 'partiallyFilled', '0.6', [inBnb(nextTradeId(), '0.3')]));
    expect(await quoteFee()).toBe('0.6');
    expect(await alertCodes(database.db)).toContain('FEE_UNVALUED');
  });

  test.each<[string, (order: Parameters<typeof venueOrder>[0]) => Parameters<typeof report>[1], string]>([
    ['more than was ordered', (order) => venueOrder(order, 'filled', '1.1'), 'overfilled'],
    [
      'fills that add up to more than was ordered',
      (order) => venueOrder(order, 'filled', '1', [aFill('1', '0.6'), aFill('2', '0.6')]),
      'overfilled',
    ],
    ['another quantity', (order) => venueOrder(order, 'new', '0', [], { quantity: d('2') }), 'misdescribed'],
    ['another symbol', (order) => venueOrder(order, 'new', '0', [], { symbol: 'ETH/USDT' }), 'misdescribed'],
    ['the other side', (order) => venueOrder(order, 'new', '0', [], { side: 'SELL' }), 'misdescribed'],
  ])('follows no report of %s: that is an alert', async (_, said, reason) => {
    const order = await placeEntry(database.db, request);
    const before = await readOrder(database.db, order.clientOrderId);

    expect(await report(database.db, said(order))).toMatchObject({ outcome: 'illegal', reason });

    expect(await readOrder(database.db, order.clientOrderId)).toEqual(before);
    expect(await alertCodes(database.db)).toContain('ORDER_REPORT_ILLEGAL');
    expect(await phaseOf(database.db, request.tradeId)).toBe('placing');
  });

  test('takes a second order under the same client order id for what it is', async () => {
    const order = await placeEntry(database.db, request);
    await report(database.db, venueOrder(order, 'filled', '1', [aFill(String(nextTradeId()), '1')]));
    const second = venueOrder(order, 'new', '0', [], { venueOrderId: 'another' });
    expect(await report(database.db, second)).toMatchObject({ outcome: 'illegal', reason: 'misdescribed' });
  });

  test('refuses a report of an order that is not ours, which has a way of its own', async () => {
    const foreign = venueOrder({ ...(await placeEntry(database.db, request)), clientOrderId: 'theirs' }, 'new', '0');
    await expect(report(database.db, foreign)).rejects.toThrow('one of ours');

    const seen = { account: request.account, venue: 'paper', order: foreign, nowMs };
    await recordForeignOrder(database.db, seen);
    await recordForeignOrder(database.db, { ...seen, nowMs: nowMs + 1 });

    expect((await alertCodes(database.db)).filter((code) => code === 'EXTERNAL_ORDER')).toHaveLength(1);
    const records = await database.db
      .selectFrom('audit_event')
      .select('body')
      .where('event_type', '=', 'ExternalOrderSeen')
      .execute();
    expect(records).toHaveLength(1);
  });
});

describe('recordSend', () => {
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
    expect((await ordersInDoubt(database.db)).map((order) => order.tradeId)).toContain(request.tradeId);
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
    const outcomes = database.db
      .selectFrom('breaker_outcome')
      .select('kind')
      .where('scope', '=', `account-${request.account}`);
    expect(await outcomes.execute()).toEqual([{ kind: 'failure' }]);
  });

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
    const outcomes = database.db
      .selectFrom('breaker_outcome')
      .select('kind')
      .where('scope', '=', `account-${request.account}`);
    expect(await outcomes.execute()).toEqual(counts ? [{ kind: 'failure' }] : []);
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

test('an order of two legs keeps each leg for itself', async () => {
  const legs = [
    { symbol: 'BTC/USDT', side: 'BUY', quantity: d('1'), unitDelta: d('1') },
    { symbol: 'ETH/USDT', side: 'BUY', quantity: d('5'), unitDelta: d('1') },
  ] as const;
  const wide = { ...request, legs };
  await decide(database.db, wide, approving(wide));
  const bitcoin = committed(await commitIntent(database.db, entryIntent(wide)));
  const ether = committed(
    await commitIntent(
      database.db,
      entryIntent(wide, { clientOrderId: `${wide.tradeId}-e2`, leg: 1, symbol: 'ETH/USDT', quantity: d('5') }),
    ),
  );
  await report(database.db, venueOrder(bitcoin, 'filled', '1', [aFill(String(nextTradeId()), '1')]));
  const progress = async () =>
    (await messagesTo(database.db, `position-${wide.tradeId}`)).map(({ signal_args }) => signal_args?.[0]);
  expect(await progress()).toMatchObject([{ isFinal: false }]);

  await report(database.db, venueOrder(ether, 'canceled', '0'));

  expect(await phaseOf(database.db, wide.tradeId)).toBe('open');
  const rows = await database.db
    .selectFrom('reservation')
    .select(['leg', 'posted_quantity', 'voided_quantity'])
    .where('trade_id', '=', wide.tradeId)
    .orderBy('leg')
    .execute();
  expect(rows).toEqual([
    { leg: 0, posted_quantity: '1', voided_quantity: '0' },
    { leg: 1, posted_quantity: '0', voided_quantity: '5' },
  ]);
});
