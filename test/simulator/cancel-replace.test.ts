import { afterEach, describe, expect, test } from 'vitest';
import { aVenue, clientOf, closeAll, control, openUserStream } from './venue-client.ts';

afterEach(closeAll);

/** At 46,000 with an order that rests, and two new orders: one that the venue takes, one that it refuses. */
async function aVenueWithOrder(options: { ordersPer10s?: number } = {}) {
  const limits = options.ordersPer10s === undefined ? {} : { ordersPer10s: options.ordersPer10s };
  const venue = await aVenue({ virtualClockAtMs: 1_000_000, limits });
  const client = clientOf(venue);
  await client.limit('BUY', '0.01', '45000', { newClientOrderId: 'old' });
  const replace = (more: Record<string, string | number> = {}) =>
    client.signed('POST', '/api/v3/order/cancelReplace', {
      symbol: 'BTCUSDT',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '0.01',
      price: '44000',
      newClientOrderId: 'new',
      cancelReplaceMode: 'STOP_ON_FAILURE',
      cancelOrigClientOrderId: 'old',
      ...more,
    });
  const states = () =>
    Object.fromEntries(
      [...venue.exchange.books.orders.values()].map(({ clientOrderId, status }) => [clientOrderId, status]),
    );
  const counted = () => client.signed('GET', '/api/v3/rateLimit/order').then(({ body }) => body[0].count as number);
  return { venue, client, replace, states, counted };
}

const tooPoor = { quantity: '100' };
const noSuch = { cancelOrigClientOrderId: 'never' };

describe('cancel-replace', () => {
  test.each([
    { name: 'both succeed', send: {}, status: 200, code: undefined, results: ['SUCCESS', 'SUCCESS'], count: 2 },
    {
      name: 'the cancel fails, and the new order is not attempted but counted',
      send: noSuch,
      status: 400,
      code: -2022,
      results: ['FAILURE', 'NOT_ATTEMPTED'],
      count: 2,
    },
    {
      name: 'the cancel succeeds, the new order fails',
      send: tooPoor,
      status: 409,
      code: -2021,
      results: ['SUCCESS', 'FAILURE'],
      count: 2,
    },
    {
      name: 'the cancel fails, the new order succeeds',
      send: { ...noSuch, cancelReplaceMode: 'ALLOW_FAILURE' },
      status: 409,
      code: -2021,
      results: ['FAILURE', 'SUCCESS'],
      count: 2,
    },
    {
      name: 'both fail',
      send: { ...noSuch, ...tooPoor, cancelReplaceMode: 'ALLOW_FAILURE' },
      status: 400,
      code: -2022,
      results: ['FAILURE', 'FAILURE'],
      count: 2,
    },
    {
      name: 'over the limit, both fail where that is allowed',
      limited: true,
      send: { ...noSuch, cancelReplaceMode: 'ALLOW_FAILURE', orderRateLimitExceededMode: 'CANCEL_ONLY' },
      status: 400,
      code: -2022,
      results: ['FAILURE', 'FAILURE'],
      count: 1,
    },
    {
      name: 'over the limit, the cancel succeeds alone where failure is allowed',
      limited: true,
      send: { cancelReplaceMode: 'ALLOW_FAILURE', orderRateLimitExceededMode: 'CANCEL_ONLY' },
      status: 409,
      code: -2021,
      results: ['SUCCESS', 'FAILURE'],
      count: 1,
    },
    {
      name: 'over the limit, a cancel that fails',
      limited: true,
      send: { ...noSuch, orderRateLimitExceededMode: 'CANCEL_ONLY' },
      status: 429,
      code: -2022,
      results: ['FAILURE', 'NOT_ATTEMPTED'],
      count: 1,
    },
    {
      name: 'over the limit, 429 although the old order is gone',
      limited: true,
      send: { orderRateLimitExceededMode: 'CANCEL_ONLY' },
      status: 429,
      code: -2021,
      results: ['SUCCESS', 'FAILURE'],
      count: 1,
    },
  ])('$name', async ({ limited, send, status, code, results, count }) => {
    const { replace, states, counted } = await aVenueWithOrder(limited ? { ordersPer10s: 1 } : {});
    const seen = await replace(send);
    const data = code === undefined ? seen.body : seen.body.data;
    expect([seen.status, seen.body.code]).toEqual([status, code]);
    expect([data.cancelResult, data.newOrderResult]).toEqual(results);
    expect(states()).toEqual({
      old: results[0] === 'SUCCESS' ? 'CANCELED' : 'NEW',
      ...(results[1] === 'SUCCESS' ? { new: 'NEW' } : {}),
    });
    expect(await counted()).toBe(count);
    expect(seen.headers.get('retry-after')).toBe(status === 429 ? '10' : null);
  });

  test('over the limit does nothing unless it is asked to cancel', async () => {
    const { replace, states } = await aVenueWithOrder({ ordersPer10s: 1 });
    const seen = await replace();
    expect([seen.status, seen.body.code, seen.body.data]).toEqual([429, -1015, undefined]);
    expect(states()).toEqual({ old: 'NEW' });
  });

  test('tells both halves as the documentation has them', async () => {
    const { replace } = await aVenueWithOrder();
    expect((await replace()).body).toMatchObject({
      cancelResponse: { origClientOrderId: 'old', orderId: 1, status: 'CANCELED' },
      newOrderResponse: { clientOrderId: 'new', orderId: 2, status: 'NEW', fills: [] },
    });
    expect((await replace({ ...tooPoor, cancelOrigClientOrderId: 'new' })).body).toMatchObject({
      msg: 'Order cancel-replace partially failed.',
      data: {
        cancelResponse: { origClientOrderId: 'new' },
        newOrderResponse: { code: -2010, msg: 'Account has insufficient balance for requested action.' },
      },
    });
    expect((await replace(noSuch)).body).toMatchObject({
      msg: 'Order cancel-replace failed.',
      data: { cancelResponse: { code: -2011, msg: 'Unknown order sent.' }, newOrderResponse: null },
    });
  });

  test('looks at filters before anything is done', async () => {
    const { replace, states, counted } = await aVenueWithOrder();
    expect((await replace({ price: '44000.001' })).body).toEqual({ code: -1013, msg: 'Filter failure: PRICE_FILTER' });
    expect(states()).toEqual({ old: 'NEW' });
    expect(await counted()).toBe(1);
  });

  test('gives the money of the old order to the new one, which may have its id', async () => {
    const { venue, client, replace } = await aVenueWithOrder();
    await client.limit('BUY', '2', '45000', { newClientOrderId: 'all' });
    const seen = await replace({
      quantity: '2.1',
      price: '45000',
      cancelOrigClientOrderId: 'all',
      newClientOrderId: 'all',
    });
    expect(seen.status).toBe(200);
    expect(venue.exchange.books.balance('USDT')).toMatchObject({ locked: '94950' });
  });

  test('replaces a stop order', async () => {
    const { client, replace } = await aVenueWithOrder();
    const stop = {
      type: 'STOP_LOSS_LIMIT',
      side: 'BUY',
      stopPrice: '47000',
      price: '47500',
      newOrderRespType: 'RESULT',
    };
    expect((await replace(stop)).body.newOrderResponse).toMatchObject({ stopPrice: '47000.00000000', workingTime: -1 });
    expect((await client.find({ origClientOrderId: 'new' })).body).toMatchObject({ isWorking: false });
  });

  test.each([
    { name: 'no mode', send: { cancelReplaceMode: '' }, code: -1102 },
    { name: 'a mode of its own', send: { cancelReplaceMode: 'HOPE' }, code: -1130 },
    { name: 'a limit mode of its own', send: { orderRateLimitExceededMode: 'HOPE' }, code: -1130 },
    {
      name: 'two ids that do not belong together',
      send: { cancelOrderId: 1, cancelOrigClientOrderId: 'x' },
      code: -2022,
    },
  ])('refuses $name', async ({ send, code }) => {
    const { replace, states } = await aVenueWithOrder();
    expect((await replace(send)).body.code).toBe(code);
    expect(states()).toEqual({ old: 'NEW' });
  });

  test('refuses to cancel nothing, and keeps to the restrictions', async () => {
    const { client, replace } = await aVenueWithOrder();
    const restricted = await replace({ cancelRestrictions: 'ONLY_PARTIALLY_FILLED' });
    expect(restricted.body.data.cancelResponse).toEqual({
      code: -2011,
      msg: 'Order was not canceled due to cancel restrictions.',
    });
    const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };
    const named = { ...order, cancelReplaceMode: 'STOP_ON_FAILURE' };
    expect((await client.signed('POST', '/api/v3/order/cancelReplace', named)).body.code).toBe(-1102);
  });

  test('does all of it before an answer that gets lost', async () => {
    const { venue, replace, states } = await aVenueWithOrder();
    venue.plan({ on: { path: '/api/v3/order/cancelReplace' }, phase: 'after_match', do: { action: 'drop' } });
    await replace().catch(() => undefined);
    expect(states()).toEqual({ old: 'CANCELED', new: 'NEW' });
    expect(venue.requests().at(-1)).toMatchObject({ accepted: true, answered: false, phase: 'matched' });
  });

  test('is told on the stream as a cancel and a new order', async () => {
    const { venue, replace } = await aVenueWithOrder();
    const user = await openUserStream(venue);
    await replace({ cancelNewClientOrderId: 'the-cancel' });
    await user.until(({ event }) => event?.x === 'NEW');
    const told = user.frames.flatMap(({ event }) =>
      event?.e === 'executionReport' ? [[event.x, event.c, event.C]] : [],
    );
    expect(told).toEqual([
      ['CANCELED', 'the-cancel', 'old'],
      ['NEW', 'new', ''],
    ]);
    user.close();
  });
});

test('a symbol that allows cancels alone lets cancel-replace do its first half', async () => {
  const { venue, replace, states } = await aVenueWithOrder();
  await control(venue, 'POST', '/__sim/symbol', { symbol: 'BTC/USDT', rules: { status: 'CANCEL_ONLY' } });
  const { status, body } = await replace();
  expect([status, body.data.newOrderResponse.msg]).toEqual([409, 'Market is closed.']);
  expect(states()).toEqual({ old: 'CANCELED' });
});
