import type { BreakerInput } from '../../src/contracts/messages/messages.ts';
import type { BreakerView } from '../../src/contracts/messages/views.ts';
import { closedBreaker, foldOutcomes } from '../../src/domain/circuit-breaker.ts';
import { applyOutcomes, readBreaker } from '../../src/store/trading-state/breaker.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { breakerViewOf } from './breaker-view.ts';

/**
 * Folds the outcomes that the breaker has not seen through its machine, writes the state and each transition once, and
 * answers with how it stands. Two folds at once: one of them finds the other's version and starts over.
 */
export const createFoldBreaker = (deps: ActivityDependencies) =>
  async function foldBreaker({ scope, account }: BreakerInput): Promise<BreakerView> {
    const { db, breaker: settings } = deps;
    for (;;) {
      const nowMs = deps.now();
      const read = await readBreaker(db, scope, nowMs);
      const events = [...read.unapplied, { kind: 'tick', atMs: nowMs } as const];
      const { state, transitions } = foldOutcomes(settings, read.state ?? closedBreaker, events);
      const isNews = read.state === null || read.unapplied.length > 0 || transitions.length > 0;
      if (!isNews) return breakerViewOf(deps, { scope, account, state, lastCommand: null });
      const applied = await applyOutcomes(db, {
        scope,
        outcomeIds: read.unapplied.map(({ outcomeId }) => outcomeId),
        version: read.version,
        state,
        transitions,
        nowMs,
      });
      if (applied === 'applied') return breakerViewOf(deps, { scope, account, state, lastCommand: null });
    }
  };
