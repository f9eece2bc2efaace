import { describe, expect, test } from 'vitest';
import { createCcxtVenue } from '../../src/venue/ccxt/adapter.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, limitThatFills, market, placements, placing } from './stories.ts';

const theater = aTheater();

describe('a whole trade through the ccxt adapter', () => {
  test('is entered, guarded, and closed, and the book agrees with the venue', async () => {
    const bench = await theater.open({ createVenue: createCcxtVenue });
    const { decision, entry, closed } = await bench.trade({ entry: limitThatFills });
    expect(decision).toBe('approved');
    expect(entry).toMatchObject({ status: 'filled', inDoubt: false, fillsComplete: true });
    expect(closed).not.toBeNull();
    await bench.settle();
    const evidence = await bench.evidence();
    expect(judgeBench(evidence)).toEqual([]);
    expect(placements(evidence).map(({ parameters }) => parameters['side'])).toEqual(['BUY', 'SELL']);
  });

  test.each([
    ['dropped', { action: 'drop' }],
    ['garbage', { action: 'garbage' }],
    ['503 -1008', { action: 'status', code: 503, body: { code: -1008, msg: 'Overloaded' } }],
  ] as const)('whose answer was %s is found and adopted, and sent once', async (_name, action) => {
    const bench = await theater.open({ createVenue: createCcxtVenue });
    const { entry, closed } = await bench.trade({ entry: market, faults: [placing('before_response', action)] });
    expect(entry).toMatchObject({ status: 'filled', inDoubt: false, fillsComplete: true, generation: 1 });
    expect(closed).not.toBeNull();
    const evidence = await bench.evidence();
    expect(judgeBench(evidence)).toEqual([]);
    expect(placements(evidence).filter(({ parameters }) => parameters['side'] === 'BUY')).toHaveLength(1);
  });
});
