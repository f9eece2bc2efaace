import type { BreakerInput, Resume } from '../src/contracts/messages/messages.ts';
import type { BreakerView } from '../src/contracts/messages/views.ts';
import { resumeBody } from '../src/contracts/schemas/commands.ts';
import { describe } from '../src/domain/errors.ts';
import { liftHold } from '../src/store/holds.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answerCommand } from './operator-command.ts';

/** Lifts the hold that operators set on a scope. What the breaker or a venue holds stays: each lifts only its own. */
export const createResumeTrading = (deps: ActivityDependencies) =>
  function resumeTrading({
    scope,
    resume,
  }: {
    readonly scope: BreakerInput;
    readonly resume: Resume;
  }): Promise<BreakerView> {
    return answerCommand(deps, scope, resume, resumeBody, async (asked) => {
      const lifted = await liftHold(deps.db, {
        scope: asked.scope,
        source: 'operator',
        actor: asked.actor,
        reason: asked.reason,
        nowMs: deps.now(),
        ...(asked.version !== undefined && { version: asked.version }),
        ...(asked.commandId !== undefined && { commandId: asked.commandId }),
      });
      const on = `${asked.scope.kind} ${asked.scope.id}`;
      if (lifted.outcome === 'lifted') return { applied: `resumed ${on} by ${asked.actor}: ${asked.reason}` };
      return { refused: describe('HOLD_NOT_IN_FORCE', { scope: on, outcome: lifted.outcome }) };
    });
  };
