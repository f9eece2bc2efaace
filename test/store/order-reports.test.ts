import { describe, expect, test } from 'vitest';
import { readOrder, workingOrders } from '../../src/store/orders/book-order.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { applyVenueOrder, recordForeignOrder } from '../../src/store/orders/order-reports.ts';
import { database, request } from './account-each.ts';
import {
  aFill,
  alertCodes,
  approving,
  committed,
  d,
  decide,
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

  test.each([
    ['send', 1_000],
    ['stream', 0],
    ['lookup', 0],
    ['cancel', 0],
  ] as const)('of what it heard by %s it tells the entry after %i ms', async (via, delayMs) => {
    const order = await placeEntry(database.db, request);
    await applyVenueOrder(database.db, { order: venueOrder(order, 'new', '0'), via, nowMs });
    expect(await messagesTo(database.db, `entry-${request.tradeId}`)).toMatchObject([
      { created_at_ms: nowMs, next_attempt_at_ms: nowMs + delayMs },
    ]);
  });

  test('waits for nobody when the stream repeats what is known', async () => {
    const order = await placeEntry(database.db, request);
    const fill = aFill(String(nextTradeId()), '1');
    const filled = venueOrder(order, 'filled', '1', [fill]);
    const { reported } = await report(database.db, filled);
    const holder = database.another(1);
    await holder.transaction().execute(async (tx) => {
      await tx.selectFrom('trade').selectAll().where('trade_id', '=', request.tradeId).forUpdate().execute();
      for (const repeated of [venueOrder(order, 'new', '0'), filled]) {
        const again = applyVenueOrder(database.db, { order: repeated, via: 'stream', nowMs });
        expect(await again).toEqual({ outcome: 'unchanged', reported });
      }
    });
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
