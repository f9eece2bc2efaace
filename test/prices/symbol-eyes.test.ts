import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Decimal, decimal } from '../../src/domain/decimal.ts';
import { type Guard, stepGuard } from '../../src/domain/guard.ts';
import { openTrailingStop, type TrailingStopRules } from '../../src/domain/trailing-stop.ts';
import { createSymbolEyes, type Seen } from '../../src/prices/symbol-eyes.ts';
import type { MarketTrade } from '../../src/venue/venue.ts';

const d = decimal;

const rules: TrailingStopRules = {
  side: 'long',
  by: 'percent',
  distance: d('2'),
  activationPrice: null,
  tickSize: d('0.01'),
  minimumMovePercent: null,
  extremeFrom: 'activation',
};
const trailing = (from = '100'): Guard => ({
  kind: 'trailingStop',
  terms: rules,
  state: openTrailingStop(rules, d(from)),
});
const stopAt = (price: string): Guard => ({
  kind: 'stopLoss',
  terms: { side: 'long', price: d(price) },
  state: { status: 'armed' },
});

const aTrade = (venueTradeId: number, price: string): MarketTrade => ({
  symbol: 'BTC/USDT',
  venueTradeId,
  price: d(price),
  quantity: d('1'),
  tradedAtMs: venueTradeId,
});

describe('the eyes on a symbol', () => {
  test('count only trades after the one a guard was armed at', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', stopAt('95'), 10);
    expect(eyes.onTrade(aTrade(10, '90'))).toEqual([]);
    expect(eyes.onTrade(aTrade(11, '90'))).toMatchObject([
      { id: 'a', action: 'triggered', trade: { venueTradeId: 11 } },
    ]);
  });

  test('test the live price at once while trades before it are missing', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', stopAt('95'), 10);
    expect(eyes.onTrade(aTrade(15, '94'))).toMatchObject([{ id: 'a', action: 'triggered' }]);
  });

  test('move a stop only by trades in order', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', trailing(), 10);
    expect(eyes.onTrade(aTrade(13, '120'))).toEqual([]);
    expect(eyes.missingAfter()).toBe(10);
    eyes.onTrade(aTrade(11, '110'));
    const seen = eyes.onTrade(aTrade(12, '107'));
    expect(seen).toMatchObject([{ id: 'a', action: 'triggered', trade: { venueTradeId: 12 } }]);
  });

  test('catch a late guard up with what it missed, without showing it twice to the others', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', trailing(), 0);
    for (let id = 1; id <= 5; id += 1) eyes.onTrade(aTrade(id, String(100 + id)));
    eyes.arm('b', stopAt('103'), 2);
    expect(eyes.find('b')).toMatchObject({ state: { status: 'triggered' } });
    expect(eyes.seenUpTo()).toBe(5);
    expect(eyes.find('a')).toMatchObject({ state: { extreme: '105' } });
  });

  test('go on from the next trade when the venue has none between', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', trailing(), 10);
    eyes.onTrade(aTrade(14, '110'));
    eyes.onTrade(aTrade(12, '105'));
    expect(eyes.find('a')).toMatchObject({ state: { extreme: '100' } });
    eyes.onPage([aTrade(12, '105'), aTrade(14, '110')], 10);
    expect(eyes.find('a')).toMatchObject({ state: { extreme: '110' } });
    expect(eyes.missingAfter()).toBeNull();
  });

  test('go on from the next trade at hand when the venue has none at all', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', trailing(), 10);
    eyes.onTrade(aTrade(2_014, '110'));
    eyes.onNoneAfter(10);
    expect(eyes.find('a')).toMatchObject({ state: { extreme: '110' } });
    expect(eyes.missingAfter()).toBeNull();
  });

  test('take no trade for missed by all that only some have asked for', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', trailing(), 15);
    eyes.arm('b', trailing(), 10);
    eyes.onTrade(aTrade(20, '101'));
    eyes.onPage([aTrade(18, '101')], 15);
    expect([eyes.seenBy('a'), eyes.seenBy('b')]).toEqual([18, 10]);
    eyes.onNoneAfter(18);
    expect([eyes.seenBy('a'), eyes.seenBy('b')]).toEqual([20, 10]);
  });

  test('trigger by a trade that came so late that later ones have its place', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', stopAt('90'), 3_600);
    eyes.onTrade(aTrade(20_000, '100'));
    const seen = eyes.onPage(
      Array.from({ length: 1_000 }, (_, index) => aTrade(3_601 + index, index === 15 ? '80' : '100')),
      3_600,
    );
    expect(seen).toMatchObject([{ id: 'a', action: 'triggered', trade: { venueTradeId: 3_616 } }]);
  });

  test('move a stop by trades that came so late that later ones have their places, ids left out or not', () => {
    const eyes = createSymbolEyes();
    eyes.arm('a', trailing(), 1_000);
    for (let id = 2_001; id <= 20_000; id += 1) eyes.onTrade(aTrade(id, '100'));
    eyes.onPage([aTrade(1_001, '101'), aTrade(1_002, '101.5'), aTrade(1_500, '101'), aTrade(1_999, '101.9')], 1_000);
    expect(eyes.find('a')).toMatchObject({ state: { status: 'trailing', extreme: '101.9' } });
    expect(eyes.seenBy('a')).toBe(1_999);
  });

  const wild = fc.array(fc.integer({ min: 9_000, max: 11_500 }), { minLength: 1, maxLength: 60 });
  // Small steps, so that a stop moves for a while before it triggers.
  const steady = fc.array(fc.integer({ min: -90, max: 100 }), { minLength: 1, maxLength: 60 }).map((steps) => {
    let cents = 10_100;
    return steps.map((step) => (cents += step));
  });
  const prices = fc.oneof(wild, steady);
  const lost = fc.record({ from: fc.nat(50), count: fc.nat(40) });
  const recentMax = fc.constantFrom(4, 16_384);

  test('end as the pure steps in order would, in whatever order and however often trades come', () => {
    fc.assert(
      fc.property(
        prices,
        fc.infiniteStream(fc.nat(5)),
        fc.nat(10),
        lost,
        recentMax,
        (cents, jumps, armedLate, gap, max) => {
          const trades = cents.map((price, index) => aTrade(index + 1, (price / 100).toFixed(2)));
          const eyes = createSymbolEyes({ recentMax: max });
          const triggers: Seen[] = [];
          const keep = (seen: readonly Seen[]) => triggers.push(...seen.filter(({ action }) => action === 'triggered'));
          eyes.arm('first', trailing(), 0);
          // The newest comes first, then some that came before it, some of them twice, and some of them never.
          const isLost = (_: MarketTrade, index: number) => index >= gap.from && index < gap.from + gap.count;
          const pending = trades.filter((trade, index) => trade === trades.at(-1) || !isLost(trade, index));
          let shown = 0;
          while (pending.length > 0) {
            const [trade] = pending.splice(Math.min(pending.length - 1, jumps.next().value as number), 1);
            if (shown === armedLate) keep(eyes.arm('late', trailing('101'), 3));
            keep(eyes.onTrade(trade as MarketTrade));
            if (shown % 7 === 0) keep(eyes.onTrade(trade as MarketTrade));
            shown += 1;
          }
          if (shown <= armedLate) keep(eyes.arm('late', trailing('101'), 3));
          for (let afterId = eyes.missingAfter(); afterId !== null; afterId = eyes.missingAfter()) {
            keep(eyes.onPage(trades.slice(afterId, afterId + 7), afterId));
          }
          for (const [id, from, since] of [
            ['first', '100', 0],
            ['late', '101', 3],
          ] as const) {
            const expected = inOrder(trailing(from), trades.slice(since));
            const found = eyes.find(id) as Extract<Guard, { kind: 'trailingStop' }>;
            expect(found.state.status).toBe(expected.status);
            expect(triggers.filter((seen) => seen.id === id)).toHaveLength(expected.status === 'triggered' ? 1 : 0);
            if (expected.status !== 'triggered') expect(found.state).toEqual(expected);
          }
        },
      ),
    );
  });
});

function inOrder(guard: Guard, trades: readonly { readonly price: Decimal }[]) {
  const end = trades.reduce((state, { price }) => stepGuard(state, price).guard, guard);
  return end.state as Extract<Guard, { kind: 'trailingStop' }>['state'];
}
