import { describe, expect, test } from 'vitest';
import { fenceAtMs, joinOutcomes } from '../../src/domain/outcome.ts';
import { planSend } from '../../src/domain/sending.ts';
import { drawPure } from './pure-plan.ts';
import { playPure } from './pure-play.ts';
import { type Decisions, soundDecisions } from './pure-trade.ts';

const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

const brokenBy = (decide: Decisions): readonly string[] => {
  for (const seed of seeds) {
    const { faults } = playPure(drawPure(seed), decide);
    if (faults.length > 0) return faults;
  }
  return [];
};

describe('the pure order path under drawn faults', () => {
  test('keeps its promises, and ends each trade once nothing fails', () => {
    expect(brokenBy(soundDecisions)).toEqual([]);
  });

  test.each([1, 7, 42, 1_234])('goes the same way each time that seed %i is played', (seed) => {
    const { hash } = playPure(drawPure(seed));
    expect(playPure(drawPure(seed)).hash).toBe(hash);
    expect(playPure(drawPure(seed + 1)).hash).not.toBe(hash);
  });
});

describe('a wrong decision is seen', () => {
  const planted: readonly (readonly [string, Partial<Decisions>, RegExp])[] = [
    [
      'PB1: what may stand at the venue is sent again',
      {
        planSend: (order, sends) => {
          const plan = planSend(order, sends);
          const last = sends.at(-1);
          if (plan.plan !== 'look-up' || last === undefined || order.status !== 'pendingNew') return plan;
          return { plan: 'renew', fromEpoch: last.epoch, afterVenueMs: 0 };
        },
      },
      /^I1/,
    ],
    [
      'PB4: an order that the venue does not show is dead at once',
      { fenceAtMs: ({ signedAtMs }) => signedAtMs - fenceAtMs({ signedAtMs: 0, recvWindowMs: 0 }) },
      /^I1/,
    ],
    [
      'PB5: an overload is taken for a refusal',
      {
        classify: (signal) =>
          signal.kind === 'http' && signal.status >= 500 ? 'REJECTED' : soundDecisions.classify(signal),
        joinOutcomes,
      },
      /^I12/,
    ],
    [
      'a closed order gives way to an earlier report',
      {
        applyReport: (state, report) => ({
          outcome: 'applied',
          state: { ...state, ...report, reportedQuantity: report.filledQuantity, inDoubt: false },
        }),
      },
      /./,
    ],
    [
      'an exit that works is forgotten',
      {
        nextExitStep: (legs, plan, canceled, nowMs) =>
          soundDecisions.nextExitStep(
            legs.map((leg) => ({ ...leg, orders: leg.orders.filter(({ status }) => status !== 'partiallyFilled') })),
            plan,
            canceled,
            nowMs,
          ),
      },
      /^(I2|liveness)/m,
    ],
  ];

  test.each(planted)('%s', (_name, wrong, seen) => {
    expect(brokenBy({ ...soundDecisions, ...wrong }).join('\n')).toMatch(seen);
  });
});
