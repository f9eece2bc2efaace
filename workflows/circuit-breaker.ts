import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { BreakerInput, Halt, Resume } from '../src/contracts/messages/messages.ts';
import type { BreakerView } from '../src/contracts/messages/views.ts';
import { foldBreaker, haltTrading, resumeTrading } from './activity-proxies.ts';
import { describeBreaker } from './details.ts';
import { insist } from './failures.ts';
import * as messages from './messages.ts';

type Command = { readonly kind: 'halt'; readonly halt: Halt } | { readonly kind: 'resume'; readonly resume: Resume };

/**
 * One account's circuit breaker, for ever. Outcomes are rows; a poke says that there are some to fold. It owns the
 * timers between OPEN and HALF_OPEN, and it hears the operators: whatever they say is committed as a hold, so a
 * breaker that closes can't end their halt.
 */
export async function circuitBreaker(input: BreakerInput, carried?: BreakerView): Promise<void> {
  let view: BreakerView | null = carried ?? null;
  let pokes = 1;
  const commands: Command[] = [];
  const show = (next: BreakerView): void => {
    const isNewState = next.state !== view?.state || next.holds.length !== view.holds.length;
    view = next;
    setCurrentDetails(describeBreaker(input, next));
    if (isNewState)
      upsertSearchAttributes([{ key: messages.stateAttribute, value: next.holds.length > 0 ? 'HALTED' : next.state }]);
  };
  setHandler(messages.breakerView, () => view);
  setHandler(messages.poke, () => {
    pokes += 1;
  });
  setHandler(messages.halt, (halt) => {
    commands.push({ kind: 'halt', halt });
  });
  setHandler(messages.resume, (resume) => {
    commands.push({ kind: 'resume', resume });
  });

  const hasWork = () => pokes > 0 || commands.length > 0;
  const next = (command: Command | undefined): Promise<BreakerView> => {
    if (command?.kind === 'halt') return haltTrading({ scope: input, halt: command.halt });
    if (command?.kind === 'resume') return resumeTrading({ scope: input, resume: command.resume });
    pokes = 0;
    return foldBreaker(input);
  };
  // Pokes may be left over: the next run begins with a fold.
  while (commands.length > 0 || !workflowInfo().continueAsNewSuggested) {
    const command = commands.shift();
    const heard = await insist(() => next(command));
    // A fold says nothing about commands: what became of the last one stays to be read.
    if (heard) show({ ...heard, lastCommand: heard.lastCommand ?? lastCommandOf(view) });
    if (command === undefined) await untilWork(view as BreakerView | null, hasWork);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof circuitBreaker>(input, (view as BreakerView | null) ?? undefined);
}

// Its own function, because the compiler does not see that handlers change the view.
const lastCommandOf = (view: BreakerView | null): BreakerView['lastCommand'] => view?.lastCommand ?? null;

/** Until a message comes, the breaker's own next transition is due, or the history has grown too long. */
async function untilWork(view: BreakerView | null, hasWork: () => boolean): Promise<void> {
  const isOver = () => hasWork() || workflowInfo().continueAsNewSuggested;
  const dueAtMs = view?.nextTransitionAtMs ?? null;
  if (dueAtMs === null) await condition(isOver);
  else await condition(isOver, Math.max(1, dueAtMs - Date.now()), { summary: 'half-open is due' });
}
