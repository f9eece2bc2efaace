import { expect, test } from 'vitest';
import { judgeBench } from '../support/order-bench/judge.ts';
import { alertCodes, aTheater, placing, status } from './stories.ts';

const theater = aTheater();

test('an order that no look-up finds is told of in time where the lists can not be read', async () => {
  const bench = await theater.open();
  const { entry } = await bench.trade({
    faults: [
      placing('before_auth', { action: 'drop' }),
      {
        on: { method: 'GET', path: '/api/v3/allOrders' },
        phase: 'before_auth',
        do: status(503, { code: -1001, msg: 'Internal error.' }),
        untilMs: bench.nowMs() + 120_000,
      },
    ],
  });
  expect(entry).toMatchObject({ status: 'parked' });
  const evidence = await bench.evidence();
  expect(alertCodes(evidence)).toContain('ORDER_UNRESOLVED');
  expect(judgeBench(evidence, 'I12')).toEqual([]);
});

test('nobody waits in an activity until an order can be told of: each look is an attempt of its own', async () => {
  const bench = await theater.open({ watch: false });
  const { entry, passed } = await bench.trade({ faults: [placing('before_auth', { action: 'drop' })] });
  expect(entry).toMatchObject({ status: 'parked' });
  const { ledger } = await bench.evidence();
  const looks = ledger.requests.filter(({ method, path }) => method === 'GET' && path === '/api/v3/order');
  // Ever less often until the fence, 33 s later: 0.2, 0.4, 0.8, 1.6, 3.2, 6.4 and then 8 s apart.
  expect(looks.length).toBeGreaterThanOrEqual(10);
  expect(passed['findOrder']).toHaveLength(looks.length);
});
