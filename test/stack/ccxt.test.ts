import { afterAll, beforeAll, expect, test } from 'vitest';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { enterApproved, openTrade, phaseOf, stopOut, untilPhase, untilWatched } from '../support/trading.ts';

// The second adapter in real processes: a trade from its entry to its stop, and one whose answer is lost with the worker.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ environment: { RATCHET_VENUE_ADAPTER: 'ccxt' }, crashPoints: ['afterBytes'] });
}, 120_000);
afterAll(() => stack?.stop(), 60_000);

/** The orders that the venue was sent. Those that ccxt puts together begin with their time. */
async function placements(): Promise<readonly (readonly [side: string | undefined, first: string | undefined])[]> {
  const { requests } = await stack.venue.ledger();
  return requests
    .filter(({ method, path }) => method === 'POST' && path === '/api/v3/order')
    .map(({ parameters }) => [parameters['side'], Object.keys(parameters)[0]]);
}

test('a trade is entered, stopped out and counted right, and a worker that dies at an order sends no second', async () => {
  await openTrade(stack, 'whole');
  await stopOut(stack, 'whole');
  expect(await phaseOf(stack, 'whole')).toBe('closed');
  const once = [
    ['BUY', 'timestamp'],
    ['SELL', 'timestamp'],
  ];
  expect(await placements()).toEqual(once);

  stack.plan('afterBytes');
  await stack.restarted('worker', async () => {
    await enterApproved(stack, 'struck');
    await stack.struck('afterBytes');
  });
  await untilPhase(stack, 'struck', 'open');
  await untilWatched(stack, 'struck');
  await stopOut(stack, 'struck');
  expect(await phaseOf(stack, 'struck')).toBe('closed');
  expect(await placements()).toEqual([...once, ...once]);
  expect(judge(await gather(stack))).toEqual([]);
});
