import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { enter, openTrade, phaseOf, untilSettled } from '../support/trading.ts';
import { until } from '../support/until.ts';

// What the venue's stream says may be wrong, out of order, twice, or nothing at all. One position is open all the time,
// with its stop at 95: none of it may close it, and all of it is counted.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
}, 120_000);
afterEach(async () => {
  await stack.venue.clearPlan();
  await stack.venue.tick('100');
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

/** A counter of the worker's, as Prometheus would read it. */
async function counted(metric: string): Promise<number> {
  const text = await (await fetch(stack.file().processes['worker']?.metricsUrl ?? '')).text();
  return Number(new RegExp(`^${metric} (\\d+)$`, 'm').exec(text)?.[1]);
}

const untilCounted = (metric: string, atLeast: number): Promise<unknown> =>
  until(`${metric} is ${atLeast}`, async () => (await counted(metric)) >= atLeast);

const alertCodes = async (): Promise<readonly string[]> => (await stack.client.state()).alerts.map(({ code }) => code);

type Frame = { readonly t: number; readonly p: unknown; readonly q?: unknown };

const aTradeFrame = ({ t, p, q = '1.00000000' }: Frame): string => {
  const data = { e: 'trade', E: Date.now(), s: 'BTCUSDT', t, p, q, T: Date.now(), m: false, M: true };
  return JSON.stringify({ stream: 'btcusdt@trade', data });
};

describe('F72: a position is left alone by', () => {
  const tradeId = 'prices-bad';
  beforeAll(() => openTrade(stack, tradeId));

  test.each<[string, (lastTradeId: number) => string]>([
    ['a price that is no number', (last) => aTradeFrame({ t: last + 1, p: 'NaN' })],
    ['an infinite price', (last) => aTradeFrame({ t: last + 1, p: '-Infinity' })],
    ['a price of zero', (last) => aTradeFrame({ t: last + 1, p: '0.00000000' })],
    ['a negative price', (last) => aTradeFrame({ t: last + 1, p: '-94.00000000' })],
    ['a price that is no text', (last) => aTradeFrame({ t: last + 1, p: 94 })],
    ['no price', (last) => aTradeFrame({ t: last + 1, p: null })],
    ['a trade of nothing', (last) => aTradeFrame({ t: last + 1, p: '94.00000000', q: '0.00000000' })],
    ['a trade without a number', () => aTradeFrame({ t: Number.NaN, p: '94.00000000' })],
    ['crossed quotes', () => JSON.stringify({ u: 1, s: 'BTCUSDT', b: '94.1', B: '1', a: '94.0', A: '1' })],
    ['half a frame', (last) => aTradeFrame({ t: last + 1, p: '94.00000000' }).slice(0, 60)],
    ['ten times the price', (last) => aTradeFrame({ t: last + 1, p: '1000.00000000' })],
    ['a hundredth of the price, far beyond the stop', (last) => aTradeFrame({ t: last + 1, p: '1.00000000' })],
    ['F71: a trade from before', (last) => aTradeFrame({ t: last - 1, p: '94.00000000' })],
    ['the last trade with another price', (last) => aTradeFrame({ t: last, p: '94.00000000' })],
  ])('%s, which is counted', async (_, frame) => {
    const before = await counted('ratchet_prices_quarantined_total');
    await stack.venue.sendRaw(frame(await stack.venue.lastTradeId()));
    await untilCounted('ratchet_prices_quarantined_total', before + 1);
    expect(await phaseOf(stack, tradeId)).toBe('open');
    expect(await stack.sql('select 1 from exit_request where trade_id = $1', [tradeId])).toEqual([]);
  });

  test('what the paper venue plays as bad ticks', async () => {
    const before = await counted('ratchet_prices_quarantined_total');
    const suspects = await counted('ratchet_prices_suspect_total');
    expect(stack.ratchet('sim', 'trigger', 'bad-ticks')).toMatchObject({ code: 0 });
    await stack.venue.tick('99', '98', '99', '98', '99', '100');
    await untilCounted('ratchet_prices_quarantined_total', before + 6);
    expect(await counted('ratchet_prices_suspect_total')).toBe(suspects + 2);
    expect(await phaseOf(stack, tradeId)).toBe('open');
  });

  test('F71: the same trade told twice', async () => {
    await stack.venue.plan({ on: { path: '/stream', match: { e: 'trade' } }, phase: 'stream', do: { action: 'dup' } });
    await stack.venue.tick('99', '98');
    await stack.venue.clearPlan();
    expect(await phaseOf(stack, tradeId)).toBe('open');
  });

  test('all of it together, and closed by a true price', async () => {
    await stack.venue.tick('94');
    expect(await untilSettled(stack, tradeId)).toBe('closed');
    expect((await stack.client.trade(tradeId)).exitRequest).toMatchObject({ trigger: { price: '94' } });
  });
});

test('F70: a price that the stream has lost closes the position all the same', async () => {
  const tradeId = 'prices-lost';
  await openTrade(stack, tradeId);
  const before = await counted('ratchet_price_gaps_total');
  const lost = { e: 'trade', p: '94\\..*' };
  await stack.venue.plan({ on: { path: '/stream', match: lost }, phase: 'stream', do: { action: 'drop' } });
  await stack.venue.tick('94', '100');
  expect(await untilSettled(stack, tradeId)).toBe('closed');
  expect((await stack.client.trade(tradeId)).exitRequest).toMatchObject({ trigger: { price: '94' } });
  expect(await counted('ratchet_price_gaps_total')).toBeGreaterThan(before);
});

test('F69: a stream that falls silent is noticed and replaced by questions, and comes back', async () => {
  const tradeId = 'prices-silent';
  await openTrade(stack, tradeId);
  const before = await counted('ratchet_price_stale_total');
  const recovered = await counted('ratchet_price_recovered_total');
  await stack.venue.plan({ on: { path: '/stream' }, phase: 'stream', do: { action: 'silence', ms: 12_000 } });
  await stack.venue.tick('99');
  await stack.venue.clearPlan();
  await untilCounted('ratchet_price_stale_total', before + 1);
  await until('people are told', async () => (await alertCodes()).includes('PRICES_STALE'));
  await stack.venue.tick('94');
  expect(await untilSettled(stack, tradeId)).toBe('closed');

  await untilCounted('ratchet_price_recovered_total', recovered + 1);
  await until('the alert is resolved', async () => !(await alertCodes()).includes('PRICES_STALE'));
  await stack.venue.tick('100');
  const again = 'prices-back';
  await openTrade(stack, again);
  await stack.venue.tick('94');
  expect(await untilSettled(stack, again)).toBe('closed');
  expect(await counted('ratchet_price_stale_total')).toBe(before + 1);
});

test('F69: an entry is denied while nobody knows the price', async () => {
  await stack.venue.plan(
    { on: { path: '/stream' }, phase: 'stream', do: { action: 'silence', ms: 10_000 } },
    { on: { method: 'GET', path: '/api/v3/trades' }, phase: 'before_auth', do: { action: 'status', code: 503 } },
    {
      on: { method: 'GET', path: '/api/v3/historicalTrades' },
      phase: 'before_auth',
      do: { action: 'status', code: 503 },
    },
  );
  const before = await counted('ratchet_price_stale_total');
  await stack.venue.tick('99');
  await untilCounted('ratchet_price_stale_total', before + 1);
  const decision = await enter(stack, 'prices-unknown');
  expect(decision.outcome).toBe('denied');
  expect(decision.reasons.map(({ code }) => code)).toContain('PRICE_UNKNOWN');
  expect(await untilSettled(stack, 'prices-unknown')).toBe('denied');
});

test('F73: a price that falls by a fifth in one trade closes the position, however deep', async () => {
  await stack.venue.clearPlan();
  await stack.venue.tick('100');
  const tradeId = 'prices-crash';
  await openTrade(stack, tradeId);
  await stack.venue.tick('80');
  expect(await untilSettled(stack, tradeId)).toBe('closed');
  const { orders, exitRequest } = await stack.client.trade(tradeId);
  expect(orders.filter(({ purpose }) => purpose === 'exit')).toMatchObject([{ status: 'filled' }]);
  expect(exitRequest).toMatchObject({ trigger: { price: '80' } });
  await stack.venue.tick('100');
});

test('F57: a flood of prices leaves the histories as short as they were', async () => {
  const tradeId = 'prices-flood';
  const count = process.env['FULL_LENGTH'] === '1' ? 100_000 : 10_000;
  await openTrade(stack, tradeId, { exit: { trailingStop: { by: 'percent', distance: '5' } } });
  const rising = Array.from({ length: 1_000 }, (_, i) => (100 + i / 100).toFixed(2));
  for (let sent = 0; sent < count; sent += rising.length) await stack.venue.tick(...rising);
  await stack.venue.tick('94');
  expect(await untilSettled(stack, tradeId)).toBe('closed');
  const ids = ['position', 'stop', 'exit', 'entry'].map((kind) => `${kind}-${tradeId}`).concat('market-paper-0');
  const lengths = await Promise.all(
    ids.map(async (id) => (await stack.temporal.workflow.getHandle(id).describe()).historyLength),
  );
  expect(Math.max(...lengths)).toBeLessThan(200);
}, 240_000);

test('the record of it all holds', () => {
  expect(stack.ratchet('audit', 'verify')).toMatchObject({ code: 0, output: expect.stringContaining('OK: ') });
});
