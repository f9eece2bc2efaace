import { expect, test } from 'vitest';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, limitThatRests, status } from './stories.ts';

const theater = aTheater();

/** Every cancel is refused, while orders can be placed and looked at. */
const refusingCancels = {
  on: { method: 'DELETE', path: '/api/v3/order' },
  phase: 'before_auth',
  do: status(503, { code: -1001, msg: 'Internal error.' }),
} as const;

const entryOf = ({ simulator }: OrderBench) =>
  [...simulator.exchange.books.orders.values()].findLast(({ side }) => side === 'BUY');

/** Somebody trades with the entry that rests. */
const fill = (bench: OrderBench, quantity: string) =>
  bench.control('fill', { orderId: entryOf(bench)?.orderId, quantity });

/** An entry of 1 that still works, and of which 0.4 have filled. */
async function partlyFilled(bench: OrderBench): Promise<string> {
  await bench.trade();
  const { tradeId, ...request } = bench.request({ entry: limitThatRests });
  await bench.runner().run('checkLimits', [{ tradeId, ...request }, 'run-1']);
  await bench.runner().run('placeOrder', [{ tradeId, leg: 0, purpose: 'entry', generation: 1 }]);
  await fill(bench, '0.4');
  await bench.pass(1_000);
  return tradeId;
}

const salesOf = async (bench: OrderBench, tradeId: string) =>
  (await bench.evidence()).orders
    .filter((order) => order.trade_id === tradeId && order.purpose === 'exit')
    .map(({ quantity }) => quantity);

test('an exit sells what is filled while no cancel of the entry goes through, and the rest when one does', async () => {
  const bench = await theater.open();
  const tradeId = await partlyFilled(bench);
  bench.simulator.plan(refusingCancels);
  const seen: { sold: readonly string[]; entry: string | undefined }[] = [];
  const look = async () => seen.push({ sold: await salesOf(bench, tradeId), entry: entryOf(bench)?.status });

  const closed = await bench.exit(tradeId, [
    look,
    async () => fill(bench, '0.2'),
    look,
    async () => {
      bench.simulator.clearPlan();
      await fill(bench, '0.1');
    },
  ]);

  expect(seen).toEqual([
    { sold: ['0.399'], entry: 'PARTIALLY_FILLED' },
    { sold: ['0.399', '0.2'], entry: 'PARTIALLY_FILLED' },
  ]);
  expect(entryOf(bench)?.status).toBe('CANCELED');
  expect(closed).toMatchObject({ entryQuantity: '0.7' });
  const evidence = await bench.evidence();
  expect(evidence.ledger.requests.filter(({ method }) => method === 'DELETE').length).toBeGreaterThan(2);
  expect(judgeBench(evidence)).toEqual([]);
});
