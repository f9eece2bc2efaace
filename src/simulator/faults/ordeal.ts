import type { SimulatorClock } from '../clock.ts';
import { type Answer, garbageAnswer, jsonReply, pageAnswer, type Reply } from '../rest/reply.ts';
import { type ActionOf, type FaultAction, type FaultPhase, type FaultRule, sleep } from './faults.ts';

/** What the plan does to one request: waits where it says so, and remembers the answer that it puts in place of the true one. */
export type Ordeal = {
  isStruck(phase: FaultPhase): boolean;
  strike(phase: FaultPhase): Promise<void>;
  /** Once this is set before the order is accepted, the order is not taken. */
  replacement(): Reply | null;
  /** The first rule of the plan that does this to the request. */
  find<Name extends FaultAction['action']>(action: Name): ActionOf<Name> | null;
  /** The true answer, as the plan lets it through. */
  letThrough(reply: Reply): Reply;
};

export function createOrdeal(
  rules: readonly FaultRule[],
  clock: SimulatorClock,
  onStrike: (name: string) => void,
): Ordeal {
  let replacement: Reply | null = null;
  const done = new Set<FaultRule>();
  const waiting = (phase: FaultPhase): readonly FaultRule[] =>
    rules.filter((rule) => rule.phase === phase && !done.has(rule));
  const find = <Name extends FaultAction['action']>(action: Name): ActionOf<Name> | null =>
    rules.map((rule) => rule.do).find((each): each is ActionOf<Name> => each.action === action) ?? null;

  return {
    isStruck: (phase) => waiting(phase).length > 0,
    async strike(phase) {
      for (const rule of waiting(phase)) {
        done.add(rule);
        onStrike(`${phase} ${rule.do.action}`);
        if (rule.do.action === 'delay') await sleep(clock, rule.do.ms);
        replacement ??= replacementOf(rule.do);
      }
    },
    replacement: () => replacement,
    find,
    letThrough: (reply) =>
      reply.kind === 'answer' ? twisted(reply, find('lie'), find('truncate'), find('slow')) : reply,
  };
}

function twisted(
  answer: Answer,
  lie: ActionOf<'lie'> | null,
  truncate: ActionOf<'truncate'> | null,
  slow: ActionOf<'slow'> | null,
): Answer {
  if (!lie && !truncate && !slow) return answer;
  return {
    ...answer,
    ...(lie ? { body: JSON.stringify(withLie(JSON.parse(answer.body), lie.fields)) } : {}),
    ...(truncate ? { bytes: truncate.bytes } : {}),
    ...(slow ? { slow: { bytes: slow.bytes ?? 1, everyMs: slow.everyMs } } : {}),
  };
}

/** The fields in every object of the answer that has them; of a list, in each row. An empty object stays what it is. */
export function withLie(truth: unknown, fields: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(truth)) return truth.map((row) => withLie(row, fields));
  return typeof truth === 'object' && truth !== null ? { ...truth, ...fields } : truth;
}

function replacementOf(action: FaultAction): Reply | null {
  switch (action.action) {
    case 'drop':
    case 'reset':
      return { kind: action.action };
    case 'hang':
      return { kind: 'hang', ms: action.ms ?? null };
    case 'garbage':
      return garbageAnswer;
    case 'status':
      return statusReply(action);
    default:
      return null;
  }
}

function statusReply({ code, body, headers }: ActionOf<'status'>): Reply {
  return typeof body === 'string' ? pageAnswer(code, body, headers) : jsonReply(code, body ?? {}, headers);
}
