import { expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import { paperLimits } from '../../src/domain/limits/limits.ts';
import { changeLimits } from '../../src/store/trading-state/resuming.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, placing, reservationOf } from './stories.ts';

const theater = aTheater();

test('F07 I3 I16: an order in doubt keeps what was reserved for it, and no other entry gets its room', async () => {
  const bench = await theater.open({ watch: false });
  const runner = bench.runner();
  await bench.trade();
  // Room for one trade of 100, and not for two.
  await changeLimits(theater.db(), {
    account: bench.account,
    limits: { ...paperLimits, totalExposureCap: decimal('150') },
    actor: 'test',
    reason: 'room for one',
    nowMs: bench.nowMs(),
  });
  const decide = async () => {
    const request = bench.request();
    const { decision } = await runner.run('checkLimits', [request, 'run-1']);
    return { tradeId: request.tradeId, codes: decision.reasons.map(({ code }) => code) };
  };
  const { tradeId, codes } = await decide();
  expect(codes).toEqual([]);
  const reserved = async () => reservationOf(await bench.evidence(), tradeId);

  bench.simulator.plan(placing('before_response', { action: 'drop' }));
  const ref = { tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
  expect(await runner.run('placeOrder', [ref])).toMatchObject({ inDoubt: true });
  expect(await reserved()).toMatchObject({ quantity: '1', posted_quantity: '0', voided_quantity: '0' });
  expect((await decide()).codes).toEqual(['TOTAL_EXPOSURE_EXCEEDED']);

  expect(await runner.run('findOrder', [ref])).toMatchObject({ status: 'filled', inDoubt: false });
  expect(await reserved()).toMatchObject({ quantity: '1', posted_quantity: '1', voided_quantity: '0' });
  expect(judgeBench(await bench.evidence())).toEqual([]);
});
