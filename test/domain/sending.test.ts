import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OrderStatus } from '../../src/domain/order.ts';
import { mayResend, type OutcomeClass } from '../../src/domain/outcome.ts';
import { planSend, type Send } from '../../src/domain/sending.ts';

const recvWindowMs = 3_000;
const order = (status: OrderStatus = 'pendingNew', inDoubt = false) => ({ status, inDoubt, recvWindowMs });
const send = (outcome: Send['outcome'], epoch = 1): Send => ({ epoch, signedAtMs: epoch * 10_000, outcome });

describe('an attempt that finds an intent', () => {
  test.each<[OrderStatus]>([['filled'], ['canceled'], ['rejected'], ['expired'], ['denied']])(
    'has nothing to do once the order is %s',
    (status) => {
      expect(planSend(order(status), [send(null)])).toEqual({ plan: 'done' });
    },
  );

  test.each<[string, Parameters<typeof planSend>]>([
    ['a send has no outcome', [order(), [send(null)]]],
    ['a send is unknown', [order(), [send('UNKNOWN')]]],
    ['an earlier send is unknown', [order(), [send('UNKNOWN'), send('THROTTLED', 2)]]],
    ['the order is in doubt', [order('pendingNew', true), [send('NOT_SENT')]]],
    ['the venue has spoken of it', [order('new'), [send('NOT_SENT')]]],
    ['it is parked', [order('parked', true), [send('NOT_SENT')]]],
    ['nothing is known of any send', [order(), []]],
  ])('looks it up where %s', (_name, [found, sends]) => {
    expect(planSend(found, sends)).toEqual({ plan: 'look-up' });
  });

  test('may sign anew once the last window is over by the clock it was signed by', () => {
    expect(planSend(order(), [send('NOT_SENT'), send('THROTTLED', 2)])).toEqual({
      plan: 'renew',
      fromEpoch: 2,
      afterVenueMs: 20_000 + recvWindowMs,
    });
  });

  test('signs anew exactly when no send can have reached the engine', () => {
    const outcome = fc.constantFrom<OutcomeClass | null>(
      ...(['ACCEPTED', 'NOT_SENT', 'REJECTED', 'THROTTLED', 'UNKNOWN', 'FATAL_CONFIG'] as const),
      null,
    );
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 5 }), fc.boolean(), (outcomes, inDoubt) => {
        const sends = outcomes.map((each, index) => send(each, index + 1));
        const plan = planSend(order('pendingNew', inDoubt), sends);
        const lastSignedAtMs = sends.at(-1)?.signedAtMs ?? 0;
        const may = !inDoubt && mayResend(outcomes, lastSignedAtMs, recvWindowMs, lastSignedAtMs + recvWindowMs + 1);
        expect(plan.plan === 'renew').toBe(may);
        if (plan.plan === 'renew') {
          expect(mayResend(outcomes, lastSignedAtMs, recvWindowMs, plan.afterVenueMs)).toBe(false);
          expect(mayResend(outcomes, lastSignedAtMs, recvWindowMs, plan.afterVenueMs + 1)).toBe(true);
        }
      }),
    );
  });
});
