import { type Stack, startStack } from '../support/stack.ts';
import { enterApproved, openTrade, untilHeld, untilPhase } from '../support/trading.ts';
import { workerEnvironment } from '../support/workers.ts';
import { type CrashCase, crashCases } from './cases.ts';

/** A stack whose worker, and nothing else of it, dies at the points of these cases. */
export function startCrashStack(cases: readonly CrashCase[] = crashCases): Promise<Stack> {
  const pointsOf = (blow: CrashCase['blow']) => [
    ...new Set(cases.filter((each) => each.blow === blow).map(({ point }) => point)),
  ];
  return startStack({
    environment: {
      ...workerEnvironment,
      // A lost order is given up after three seconds, so that a case does not take a minute.
      RATCHET_RECV_WINDOW_MS: '2000',
      RATCHET_FENCE_API_TIMEOUT_MS: '1000',
      RATCHET_FENCE_MARGIN_MS: '0',
      // Answers that were lost count as failures; this is not about the breaker.
      RATCHET_BREAKER_FAILURE_THRESHOLD: '1000',
      // Orders by hand are part of the play, and must not halt it.
      RATCHET_RECONCILE_UNEXPLAINED_MAX: '1000',
      RATCHET_RECONCILE_DRIFT_MAX: '1000000',
    },
    crashPoints: pointsOf('kill'),
    pausePoints: pointsOf('pause'),
  });
}

export const bystanders = ['bystander-open', 'bystander-trailing', 'bystander-held', 'bystander-resting'] as const;

/** Trades that nothing is done to. Whatever happens to the worker happens to them too, and they are judged with all. */
export async function openBystanders(stack: Stack): Promise<void> {
  const [open, trailing, held, resting] = bystanders;
  await openTrade(stack, open, { exit: { stopLoss: { price: '50' } }, quantity: '0.5' });
  await openTrade(stack, trailing, { exit: { trailingStop: { by: 'percent', distance: '40' } }, quantity: '0.5' });
  await openTrade(stack, held, {
    exit: { stopLoss: { price: '50' }, protectiveStop: { at: 'venue' } },
    quantity: '0.5',
  });
  await untilHeld(stack, held);
  await enterApproved(stack, resting, {
    entry: { type: 'LIMIT', price: '70' },
    exit: { stopLoss: { price: '50' } },
    quantity: '0.5',
  });
  await untilPhase(stack, resting, 'working');
}

/** They leave as they came: by a person's wish. */
export async function closeBystanders(stack: Stack): Promise<void> {
  for (const tradeId of bystanders) await stack.client.close(tradeId, { actor: 'tester', reason: 'the drill is over' });
  for (const tradeId of bystanders) await untilPhase(stack, tradeId, 'closed', 'unfilled');
}
