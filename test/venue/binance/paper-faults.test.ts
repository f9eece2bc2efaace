import { beforeEach, describe, expect, test } from 'vitest';
import { decimal } from '../../../src/domain/decimal.ts';
import type { SignedOrder, Venue } from '../../../src/venue/venue.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { anOrder, aPaperVenue, listen, market, type PaperVenue, symbol } from '../support/paper-venue.ts';
import { soon } from '../support/soon.ts';

const keep = keepUntilTheEnd();
const placement = 'POST /api/v3/order';
let paper: PaperVenue;
let venue: Venue;

beforeEach(async () => {
  paper = keep(await aPaperVenue());
  venue = keep(paper.connect());
});

const order = (change: Partial<SignedOrder> = {}) => anOrder(venue, paper, change);
const aStop = (change: Partial<SignedOrder> = {}) =>
  order({
    side: 'SELL',
    orderType: 'STOP_LIMIT',
    stopPrice: decimal('45000'),
    limitPrice: decimal('44900'),
    ...change,
  });

describe('F12 F13 F14: answers that are lost, late or none', () => {
  test.each([
    ['F12: a reset after the order was accepted', 'after_accept', { action: 'reset' }],
    ['F13: an answer that is cut', 'mid_response', { action: 'truncate', bytes: 20 }],
    ['F13: an answer that drips', 'mid_response', { action: 'slow', everyMs: 20 }],
    ['F14: an answer that is a page', 'before_response', { action: 'garbage' }],
    [
      'F27: an answer with another client order id',
      'before_response',
      { action: 'lie', fields: { clientOrderId: 'rte-x' } },
    ],
    ['F27: an answer with another quantity', 'before_response', { action: 'lie', fields: { origQty: '0.02000000' } }],
    ['F27: an answer with the other side', 'before_response', { action: 'lie', fields: { side: 'SELL' } }],
    ['F27: an answer with another symbol', 'before_response', { action: 'lie', fields: { symbol: 'ETHUSDT' } }],
  ] as const)('%s leaves the order in doubt, sent once and found', async (_name, phase, action) => {
    const hasty = keep(paper.connect({ requestTimeoutMs: 300 }));
    paper.simulator.plan({ on: { method: 'POST', path: '/api/v3/order', nth: 1 }, phase, do: action });
    const sent = await order();
    expect(await hasty.placeOrder(sent, 'entry')).toMatchObject({ outcome: 'UNKNOWN' });
    expect(await venue.findOrder(sent)).toMatchObject({ outcome: 'found' });
    expect(paper.requestsTo(placement)).toBe(1);
    expect(await venue.openOrders()).toHaveLength(1);
  });
});

describe('F19: the firewall', () => {
  test('a 403 leaves the order in doubt and holds everything back, until a look-up may tell', async () => {
    const still = keep(await aPaperVenue({ virtualClockAtMs: Date.UTC(2026, 10, 21, 12) }));
    const cautious = keep(still.connect());
    const sent = await anOrder(cautious, still);
    await still.command('waf', { ms: 20_000 });
    const nowMs = still.simulator.clock.nowMs();
    expect(await cautious.placeOrder(sent, 'entry')).toMatchObject({ outcome: 'UNKNOWN', retryAtMs: nowMs + 30_000 });
    const before = still.simulator.requests().length;
    expect(await cautious.findOrder(sent)).toMatchObject({ outcome: 'unavailable', retryAtMs: nowMs + 30_000 });
    still.simulator.clock.shift(29_999);
    expect((await cautious.cancelAllOf(symbol)).outcome).toBe('THROTTLED');
    expect(still.simulator.requests()).toHaveLength(before);
    still.simulator.clock.shift(1);
    expect(await cautious.findOrder(sent)).toEqual({ outcome: 'absent' });
  });
});

describe("F21: the venue's clock is not ours", () => {
  // A venue that is behind sees our timestamps ahead of its clock: it takes up to a second of that. One that is ahead
  // sees them late: it takes as much as the window.
  test.each([
    { skewMs: -900, isTaken: true },
    { skewMs: -1_100, isTaken: false },
    { skewMs: -3_000, isTaken: false },
    { skewMs: -10_000, isTaken: false },
    { skewMs: 900, isTaken: true },
    { skewMs: 1_100, isTaken: true },
    { skewMs: 3_100, isTaken: false },
    { skewMs: 10_000, isTaken: false },
  ])(
    'by $skewMs ms after the measurement: taken $isTaken, and after one look at the clock always',
    async ({ skewMs, isTaken }) => {
      const signed = await order();
      paper.simulator.clock.shift(skewMs);
      const first = await venue.placeOrder(signed, 'entry');
      expect(first).toMatchObject(isTaken ? { outcome: 'ACCEPTED' } : { outcome: 'NOT_SENT', venueCode: -1021 });
      if (isTaken) return;
      expect(Math.abs((await venue.clockOffsetMs()) - skewMs)).toBeLessThan(200);
      expect(venue.clockState()).toMatchObject({ isUsable: true, refusalsInARow: 1 });
      const again = { ...(await order()), clientOrderId: signed.clientOrderId };
      expect(await venue.placeOrder(again, 'entry')).toMatchObject({ outcome: 'ACCEPTED' });
      expect(venue.clockState().refusalsInARow).toBe(0);
      expect(await venue.openOrders()).toHaveLength(1);
    },
  );

  test('after the fourth refusal in a row the clock is of no use, until the venue takes a timestamp again', async () => {
    const lie = { action: 'lie', fields: { serverTime: Date.now() + 60_000 } } as const;
    paper.simulator.plan({ on: { path: '/api/v3/time' }, phase: 'before_response', do: lie });
    for (const isUsable of [true, true, true, false]) {
      expect(await venue.placeOrder(await order(), 'entry')).toMatchObject({ outcome: 'NOT_SENT', venueCode: -1021 });
      expect(venue.clockState().isUsable).toBe(isUsable);
    }
    expect(await venue.openOrders().catch(() => [])).toEqual([]);
    paper.simulator.clearPlan();
    expect(await venue.placeOrder(await order(), 'exit')).toMatchObject({ outcome: 'ACCEPTED' });
    expect(venue.clockState()).toMatchObject({ isUsable: true, refusalsInARow: 0 });
  });

  test('an answer about the order itself shows that its timestamp was good', async () => {
    await venue.clockOffsetMs();
    paper.simulator.clock.shift(10_000);
    expect(
      (await venue.placeOrder(await anOrder(keep(paper.connect()), paper, { signedAtMs: Date.now() }), 'exit')).outcome,
    ).toBe('NOT_SENT');
    expect(venue.clockState().refusalsInARow).toBe(1);
    expect(await venue.findOrder({ symbol, clientOrderId: 'nobody' })).toEqual({ outcome: 'absent' });
    expect(venue.clockState().refusalsInARow).toBe(0);
  });

  test('a zombie that sends too late is refused, and says nothing against the clock', async () => {
    const late = await order({ signedAtMs: Date.now() - 10_000 });
    expect(await venue.placeOrder(late, 'entry')).toMatchObject({ outcome: 'NOT_SENT', venueCode: -1021 });
    expect(venue.clockState()).toMatchObject({ isUsable: true, refusalsInARow: 0 });
  });
});

describe('F26: a key that is revoked', () => {
  test('is fatal for sends, and reads name the key', async () => {
    await venue.clockOffsetMs();
    await paper.command('key', { revoked: true });
    expect(await venue.placeOrder(await order(), 'exit')).toMatchObject({ outcome: 'FATAL_CONFIG', venueCode: -2015 });
    await expect(venue.balances()).rejects.toMatchObject({ code: 'VENUE_KEY_REFUSED' });
    await paper.command('key', { revoked: false });
    expect(await venue.placeOrder(await order(), 'exit')).toMatchObject({ outcome: 'ACCEPTED' });
  });
});

describe('a stop that rests at the venue', () => {
  test('is listed with its stop price, goes to the book when that is traded, and fills', async () => {
    const heard = listen(venue);
    await soon(() => expect(heard.types()).toEqual(['connected']));
    const stop = await aStop();
    const placed = await venue.placeOrder(stop, 'exit');
    expect(placed).toMatchObject({ outcome: 'ACCEPTED', order: { stopPrice: '45000', report: { status: 'new' } } });
    expect(await venue.openOrders(symbol)).toMatchObject([{ clientOrderId: stop.clientOrderId, stopPrice: '45000' }]);
    paper.simulator.tick({ symbol, price: '45000' }, { symbol, price: '44950', quantity: '1' });
    await soon(() => expect(heard.orders().at(-1)?.report.status).toBe('filled'));
    expect(heard.orders().at(-1)).toMatchObject({ clientOrderId: stop.clientOrderId, stopPrice: '45000' });
    expect(await venue.findOrder(stop)).toMatchObject({ order: { stopPrice: '45000', report: { status: 'filled' } } });
  });

  test('that would trigger at once is refused', async () => {
    expect(await venue.placeOrder(await aStop({ stopPrice: decimal('46500') }), 'exit')).toMatchObject({
      outcome: 'REJECTED',
      venueCode: -2010,
      detail: expect.stringContaining('Order would trigger immediately.'),
    });
  });
});

describe('F20: an order in the place of another', () => {
  const replaceIn = async (change: Partial<SignedOrder> = {}) => {
    const old = await aStop();
    await venue.placeOrder(old, 'exit');
    const next = await aStop({ stopPrice: decimal('45500'), limitPrice: decimal('45400'), ...change });
    return { old, next };
  };

  test('leaves the new one alone', async () => {
    const { old, next } = await replaceIn();
    expect(await venue.replaceOrder({ cancel: old, order: next, lane: 'exit' })).toMatchObject({
      canceled: { outcome: 'ACCEPTED', order: { clientOrderId: old.clientOrderId, report: { status: 'canceled' } } },
      placed: { outcome: 'ACCEPTED', order: { clientOrderId: next.clientOrderId, stopPrice: '45500' } },
    });
    expect(await venue.openOrders(symbol)).toMatchObject([{ clientOrderId: next.clientOrderId }]);
  });

  test('that the venue refuses: the old one is gone, and both halves say so', async () => {
    const { old, next } = await replaceIn({ stopPrice: decimal('46500') });
    expect(await venue.replaceOrder({ cancel: old, order: next, lane: 'exit' })).toMatchObject({
      canceled: { outcome: 'ACCEPTED', httpStatus: 409 },
      placed: { outcome: 'REJECTED', venueCode: -2010 },
    });
    expect(await venue.openOrders(symbol)).toEqual([]);
  });

  test('that has gone meanwhile: nothing is placed', async () => {
    const { old, next } = await replaceIn();
    await venue.cancelOrder(old);
    expect(await venue.replaceOrder({ cancel: old, order: next, lane: 'exit' })).toMatchObject({
      canceled: { outcome: 'UNKNOWN', venueCode: -2011 },
      placed: { outcome: 'NOT_SENT' },
    });
    expect(await venue.openOrders(symbol)).toEqual([]);
  });

  test('over the order count: nothing happens, and the cancel is in doubt all the same', async () => {
    const { old, next } = await replaceIn();
    await paper.command('limits', { ordersPer10s: 1 });
    expect(await venue.replaceOrder({ cancel: old, order: next, lane: 'exit' })).toMatchObject({
      canceled: { outcome: 'UNKNOWN', httpStatus: 429 },
      placed: { outcome: 'THROTTLED', httpStatus: 429 },
    });
    expect(await venue.findOrder(old)).toMatchObject({ order: { report: { status: 'new' } } });
    expect(await venue.findOrder(next)).toEqual({ outcome: 'absent' });
  });

  test('with an answer that is lost: both are in doubt, and look-ups tell', async () => {
    const { old, next } = await replaceIn();
    const path = '/api/v3/order/cancelReplace';
    paper.simulator.plan({ on: { method: 'POST', path, nth: 1 }, phase: 'before_response', do: { action: 'reset' } });
    expect(await venue.replaceOrder({ cancel: old, order: next, lane: 'exit' })).toMatchObject({
      canceled: { outcome: 'UNKNOWN' },
      placed: { outcome: 'UNKNOWN' },
    });
    expect(await venue.findOrder(old)).toMatchObject({ order: { report: { status: 'canceled' } } });
    expect(await venue.findOrder(next)).toMatchObject({ order: { report: { status: 'new' } } });
    expect(paper.requestsTo(`POST ${path}`)).toBe(1);
  });
});

describe('all orders of a symbol', () => {
  test('are canceled in one request, stops too, and none open is a success', async () => {
    await venue.placeOrder(await order(), 'entry');
    await venue.placeOrder(await aStop(), 'exit');
    const result = await venue.cancelAllOf(symbol);
    expect(result.outcome).toBe('ACCEPTED');
    expect(result.orders.map(({ report }) => report.status)).toEqual(['canceled', 'canceled']);
    expect(await venue.openOrders()).toEqual([]);
    expect(await venue.cancelAllOf(symbol)).toMatchObject({ outcome: 'ACCEPTED', orders: [] });
    expect(paper.requestsTo('DELETE /api/v3/openOrders')).toBe(2);
  });
});

describe('F30: orders of the account that would trade with each other', () => {
  test('the resting one ends expired, with the reason, and the exit gets through', async () => {
    const heard = listen(venue);
    await soon(() => expect(heard.types()).toEqual(['connected']));
    const resting = await order({ limitPrice: decimal('45999.99') });
    await venue.placeOrder(resting, 'entry');
    const exit = await order({ ...market, side: 'SELL', quantity: decimal('0.01') });
    expect(await venue.placeOrder(exit, 'exit')).toMatchObject({
      outcome: 'ACCEPTED',
      order: { report: { status: 'filled' } },
    });
    await soon(() => {
      const ended = heard.orders().find(({ report }) => report.status === 'expired');
      expect(ended).toMatchObject({ clientOrderId: resting.clientOrderId, reason: 'EXPIRED_IN_MATCH' });
    });
    expect(await venue.findOrder(resting)).toMatchObject({
      order: { report: { status: 'expired', filledQuantity: '0' } },
    });
  });
});

test('fills since a moment name their orders, whoever placed them', async () => {
  const sinceMs = Date.now() - 1000;
  const bought = await venue.placeOrder(await order({ ...market, quantity: decimal('0.02') }), 'entry');
  await paper.command('external', {
    type: 'order',
    order: { symbol: 'BTCUSDT', side: 'SELL', type: 'MARKET', quantity: '0.01' },
  });
  const fills = await venue.fillsSince(symbol, sinceMs);
  const ours = fills.filter(({ venueOrderId }) => venueOrderId === bought.order?.venueOrderId);
  expect(ours.map(({ quantity }) => quantity)).toEqual(bought.order?.fills.map(({ quantity }) => quantity));
  expect(fills.length).toBeGreaterThan(ours.length);
  expect(await venue.accountPermissions()).toEqual({ canTrade: true, canWithdraw: false });
});
