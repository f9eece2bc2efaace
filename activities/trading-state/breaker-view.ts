import type { BreakerView } from '../../src/contracts/messages/views.ts';
import {
  type BreakerState,
  breakerAt,
  failuresInWindow,
  nextTransitionAtMs,
} from '../../src/domain/circuit-breaker.ts';
import { workingOrders } from '../../src/store/orders/book-order.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import type { ActivityDependencies } from '../dependencies.ts';

type Known = {
  readonly scope: string;
  readonly account: string;
  readonly state: BreakerState;
  readonly lastCommand: BreakerView['lastCommand'];
};

/** How a breaker stands, for people: its state and why, the holds in force, and the entries that still work. */
export async function breakerViewOf(
  { db, now, breaker: settings }: ActivityDependencies,
  { scope, account, state, lastCommand }: Known,
): Promise<BreakerView> {
  const nowMs = now();
  const present = breakerAt(settings, state, nowMs);
  const failures = failuresInWindow(settings, present, nowMs);
  const holds = await holdsInForce(db, nowMs);
  const expiries = holds.flatMap(({ expiresAtMs }) => (expiresAtMs === null ? [] : [expiresAtMs]));
  const changes = [nextTransitionAtMs(settings, present), ...expiries].filter((atMs) => atMs !== null);
  return {
    scope,
    state: present.status,
    because: becauseOf(present, failures),
    failures,
    openedAtMs: present.openedAtMs,
    nextTransitionAtMs: changes.length === 0 ? null : Math.min(...changes),
    holds,
    workingEntries: holds.length === 0 ? [] : await workingOrders(db, { account, purpose: 'entry' }),
    lastCommand,
  };
}

function becauseOf({ status, halfOpenSuccesses }: BreakerState, failures: number): string {
  switch (status) {
    case 'CLOSED':
      return `${failures} failures in the window`;
    case 'OPEN':
      return `opened by failures, ${failures} of them still in the window`;
    case 'HALF_OPEN':
      return `letting probes through, ${halfOpenSuccesses} have succeeded`;
  }
}
