import type { z } from 'zod';
import type { BreakerInput, HoldScope } from '../../src/contracts/messages/messages.ts';
import type { BreakerView } from '../../src/contracts/messages/views.ts';
import { faultsOf } from '../../src/contracts/schemas/faults.ts';
import { closedBreaker } from '../../src/domain/circuit-breaker.ts';
import { describe, RatchetError } from '../../src/domain/errors.ts';
import { readBreaker } from '../../src/store/trading-state/breaker.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { breakerViewOf } from './breaker-view.ts';

type Answer = { readonly applied: string } | { readonly refused: string };
type Named<Body> = Body & { readonly actor: string; readonly scope: HoldScope };

/**
 * Carries out what an operator sent by signal, from wherever. The payload is anybody's JSON, so every fault of it is
 * named. The scope is the breaker's own account unless said otherwise, and whoever sends it says who they are.
 */
export async function answerCommand<Body extends { actor?: string | undefined; scope: HoldScope }>(
  deps: ActivityDependencies,
  { scope, account }: BreakerInput,
  payload: unknown,
  schema: z.ZodType<Body>,
  carryOut: (asked: Named<Body>) => Promise<Answer>,
): Promise<BreakerView> {
  const parsed = schema.safeParse(withScope(payload, account));
  const answer = !parsed.success
    ? refusalOf(faultsOf(parsed.error, payload))
    : parsed.data.actor === undefined
      ? refusalOf([{ field: 'actor', value: '(absent)', allowed: 'who asks for it, a text' }])
      : await carryOut(parsed.data as Named<Body>).catch(refusedByCatalog);
  const { state } = await readBreaker(deps.db, scope, deps.now());
  return breakerViewOf(deps, {
    scope,
    account,
    state: state ?? closedBreaker,
    lastCommand: {
      outcome: 'applied' in answer ? 'applied' : 'refused',
      message: 'applied' in answer ? answer.applied : answer.refused,
      atMs: deps.now(),
    },
  });
}

function withScope(payload: unknown, account: string): unknown {
  if (typeof payload !== 'object' || payload === null || 'scope' in payload) return payload;
  return { ...payload, scope: { kind: 'account', id: account } };
}

const refusalOf = (faults: readonly { field: string; value: string; allowed: string }[]): Answer => ({
  refused: describe(
    'REQUEST_INVALID',
    Object.fromEntries(faults.map(({ field, value, allowed }) => [field, `${value}, allowed: ${allowed}`])),
  ),
});

// What can be tried again is left to the retries; the rest is the operator's answer.
function refusedByCatalog(error: unknown): Answer {
  if (error instanceof RatchetError && !error.retryable) return { refused: error.message };
  throw error;
}
