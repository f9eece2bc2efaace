import { describe, expect, test } from 'vitest';
import { decimal, isMore, multiply } from '../../src/domain/decimal.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { alertCodes, aTheater, market } from './stories.ts';

const theater = aTheater();

const crash = { name: 'flash-crash', percent: 20, holdMs: 600_000 } as const;
const crashPrice = decimal('80');

const sellsOf = ({ simulator }: OrderBench) =>
  [...simulator.exchange.books.orders.values()].filter(({ side }) => side === 'SELL');

// An exit has no collar that could keep it in: a stop goes to market at once, and what finds no buyer goes again as the
// next order, until nothing is left to sell.
describe('F73: a true price through the stop by a fifth in one tick', () => {
  test.each([
    ['in a deep book with one order', { levels: 20, quantity: '10' }, ['FILLED']],
    ['in a thin book with one order after the other', { levels: 1, quantity: '0.4' }, ['EXPIRED', 'EXPIRED', 'FILLED']],
  ])('is sold at, %s', async (_name, book, statuses) => {
    const bench = await theater.open();
    const { tradeId, entry } = await bench.trade({ entry: market, exits: false });
    expect(entry).toMatchObject({ status: 'filled', filledQuantity: '1' });
    await bench.control('trigger', crash);
    await bench.control('thinBook', book);
    const startedAtMs = bench.nowMs();
    await bench.runner().run('requestExit', [{ tradeId, reason: 'stopLoss', source: 'bench' }]);
    expect(await bench.exit(tradeId)).toMatchObject({ tradeId });

    const sells = sellsOf(bench);
    expect(sells.map(({ type }) => type)).toEqual(statuses.map(() => 'MARKET'));
    expect(sells.map(({ status }) => status)).toEqual(statuses);
    for (const { filledQuantity, filledQuote } of sells) {
      expect(isMore(filledQuote, multiply(filledQuantity, crashPrice))).toBe(false);
    }
    // On the venue's clock.
    expect(bench.nowMs() - startedAtMs).toBeLessThanOrEqual(5_000);
    const evidence = await bench.evidence();
    // The fee was taken out of what was bought: all that is left is less than a step.
    expect(evidence.positions).toMatchObject([{ entry_quantity: '1', exit_quantity: '0.999' }]);
    expect(evidence.trades).toMatchObject([{ phase: 'closed' }]);
    expect(judgeBench(evidence)).toEqual([]);
    expect(alertCodes(evidence)).toEqual([]);
  });
});
