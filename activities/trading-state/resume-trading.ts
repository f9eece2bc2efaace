import type { BreakerInput, Resume } from '../../src/contracts/messages/messages.ts';
import type { BreakerView } from '../../src/contracts/messages/views.ts';
import { resumeBody } from '../../src/contracts/schemas/commands.ts';
import { describe } from '../../src/domain/errors.ts';
import { resume } from '../../src/store/trading-state/resuming.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { answerCommand } from './operator-command.ts';

/**
 * Lifts the hold that operators or the throttle set on a scope. What the breaker or a venue holds stays: each lifts only
 * its own. A signal carries a name and no key, so where a second person is needed it is refused and says where to ask.
 */
export const createResumeTrading = (deps: ActivityDependencies) =>
  function resumeTrading({
    scope,
    resume: sent,
  }: {
    readonly scope: BreakerInput;
    readonly resume: Resume;
  }): Promise<BreakerView> {
    return answerCommand(deps, scope, sent, resumeBody, async (asked) => {
      const resumed = await resume(deps.db, {
        scope: asked.scope,
        source: asked.source,
        actor: asked.actor,
        reason: asked.reason,
        nowMs: deps.now(),
        ...(asked.version !== undefined && { version: asked.version }),
        ...(asked.commandId !== undefined && { commandId: asked.commandId }),
      });
      const on = `${asked.scope.kind} ${asked.scope.id}`;
      if (resumed.outcome === 'lifted') return { applied: `resumed ${on} by ${asked.actor}: ${asked.reason}` };
      if (resumed.outcome === 'needs-key') return { refused: describe('RESUME_NEEDS_APPROVAL', { scope: on }) };
      return { refused: describe('HOLD_NOT_IN_FORCE', { scope: on, outcome: resumed.outcome }) };
    });
  };
