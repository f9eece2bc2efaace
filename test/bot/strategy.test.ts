import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planTrade, tradeIdOf } from '../../src/bot/strategy.ts';
import { decimal, isLess, type MarketView, multiply, roundToStep } from '../../src/client/index.ts';
import { parseEntryRequest } from '../../src/contracts/schemas/entry-request.ts';

const market: MarketView = {
  symbol: 'BTC/USDT',
  last: decimal('46000'),
  tickSize: decimal('0.01'),
  stepSize: decimal('0.00001'),
  quantityMin: decimal('0.00001'),
  notionalMin: decimal('10'),
  pricesEnded: false,
  remaining: { exposure: null, delta: null, symbolDelta: null },
};
const ticket = {
  tradeId: 'bot-btc-usdt-20261121140000-1',
  account: 'main',
  venue: 'paper',
  timeStopMs: 5_000,
  nowMs: 1_795_262_400_000,
};
const prices = (...texts: string[]) => texts.map(decimal);

describe('planTrade', () => {
  test('buys a twentieth of the equity, with every end that a position can have', () => {
    const plan = planTrade({ market, recent: prices('45908', '46000'), equity: decimal('100000') }, ticket);
    expect(plan).toMatchObject({
      legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: '0.10869' }], // 5,000 / 46,000 = 0.108695…, cut to the step
      entry: { type: 'MARKET' },
      exit: {
        trailingStop: { by: 'percent', distance: '0.15' }, // range 0.2 % of the high x 0.75
        stopLoss: { price: '45793' }, // 46,000 - 3 x 0.15 %
        timeStopMs: 5_000,
      },
    });
  });

  test.each([
    { name: 'nothing moves', recent: prices('46000', '46000'), distance: '0.02' },
    { name: 'everything moves', recent: prices('23000', '46000'), distance: '1' },
  ])('keeps the trailing stop within bounds when $name', ({ recent, distance }) => {
    const plan = planTrade({ market, recent, equity: decimal('100000') }, ticket);
    expect(plan?.exit.trailingStop?.distance).toBe(distance);
  });

  test.each([
    { name: 'the notional is too small', equity: '100' },
    { name: 'there is no equity', equity: '0' },
  ])('plans nothing when $name', ({ equity }) => {
    expect(planTrade({ market, recent: prices('46000'), equity: decimal(equity) }, ticket)).toBeUndefined();
  });

  test('always plans what the contract allows, at the steps of the market', () => {
    const cents = fc.integer({ min: 100_000, max: 10_000_000 }).map((value) => decimal((value / 100).toFixed(2)));
    fc.assert(
      fc.property(fc.array(cents, { minLength: 1, maxLength: 8 }), cents, (recent, equity) => {
        const plan = planTrade({ market, recent, equity }, ticket);
        if (plan === undefined) return;
        expect(parseEntryRequest(plan)).toMatchObject({ ok: true });
        const { quantity } = plan.legs[0] ?? { quantity: decimal('0') };
        const last = recent.at(-1) ?? decimal('0');
        expect(roundToStep(quantity, market.stepSize, 'floor')).toBe(quantity);
        expect(isLess(multiply(quantity, last), multiply(equity, decimal('0.0500001')))).toBe(true);
        expect(isLess(plan.exit.stopLoss?.price ?? last, last)).toBe(true);
      }),
    );
  });
});

test('a trade id is unique over restarts and fits the contract', () => {
  expect(tradeIdOf('BTC/USDT', Date.UTC(2026, 10, 21, 14, 3, 2), 7)).toBe('bot-btc-usdt-20261121140302-7');
});
