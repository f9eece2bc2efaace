import type { BreakerInput, Halt } from '../../src/contracts/messages/messages.ts';
import type { BreakerView } from '../../src/contracts/messages/views.ts';
import { haltBody } from '../../src/contracts/schemas/commands.ts';
import { crashPoint } from '../../src/observability/crash-point.ts';
import { applyHalt } from '../../src/store/trading-state/halting.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { answerCommand } from './operator-command.ts';

/**
 * Commits an operator's halt as a hold, and answers with the breaker, the holds and the entries that still work. What
 * has to be canceled or closed is written down with the hold, for `cancelAll`. A signal has no answer, so one that can't
 * be carried out is refused in the view, with its code.
 */
export const createHaltTrading = (deps: ActivityDependencies) =>
  function haltTrading({ scope, halt }: { readonly scope: BreakerInput; readonly halt: Halt }): Promise<BreakerView> {
    return answerCommand(deps, scope, halt, haltBody, async (asked) => {
      const nowMs = deps.now();
      const { hold } = await applyHalt(deps.db, {
        scope: asked.scope,
        level: asked.level,
        actor: asked.actor,
        reason: asked.reason,
        nowMs,
        ...(asked.expiresAtMs !== undefined && { expiresAtMs: asked.expiresAtMs }),
        ...(asked.commandId !== undefined && { commandId: asked.commandId }),
      });
      crashPoint('afterHold');
      return { applied: `${hold.level} on ${hold.scope.kind} ${hold.scope.id} by ${hold.actor}: ${hold.reason}` };
    });
  };
