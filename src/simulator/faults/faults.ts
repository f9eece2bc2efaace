import type { SimulatorClock } from '../clock.ts';
import { seededRandom } from '../random.ts';

/** Where in the life of a request, or of a frame on a stream, a fault strikes. */
export type FaultPhase =
  | 'before_auth'
  | 'before_accept'
  | 'after_accept'
  | 'after_match'
  | 'before_response'
  | 'mid_response'
  | 'stream';

/**
 * What a fault does.
 *
 * - `drop`: closes the connection without an answer; on a stream, the frame is lost.
 * - `reset`: the same by a TCP reset.
 * - `hang`: says nothing for `ms` (without it: until the client goes), then closes.
 * - `status`: answers with this instead; before the order is accepted, the order is not taken.
 * - `truncate`: sends the first `bytes` of the true answer, then closes.
 * - `slow`: sends the true answer `bytes` at a time (1 as standard), a piece every `everyMs`.
 * - `garbage`: answers 200 with a page that is no JSON; on a stream, sends a frame that is none.
 * - `lie`: the true answer or frame, but for these fields of it.
 * - `delay`: waits, then goes on. Between `after_accept` and the match, too.
 * - `dup`: does the request twice, as a network that repeats it would, the second time `ms` later where that is given; on a
 *   stream, sends the frame twice.
 * - `fill`: somebody trades with the resting order that the request names, before the request is looked at: so much of it, or
 *   all.
 * - `reorder`: holds this frame and those that follow until there are `frames`, and sends them in reverse; what is held is sent
 *   after `ms` (a second as standard) at the latest.
 * - `lagQuery`: orders accepted in the last `ms` are not yet there for this query.
 * - `close`: closes the stream with `code`.
 * - `silence`: the stream says nothing for `ms`, neither pings nor answers to them.
 */
export type FaultAction =
  | { readonly action: 'drop' | 'reset' | 'garbage' }
  | { readonly action: 'dup'; readonly ms?: number }
  | { readonly action: 'fill'; readonly quantity?: string }
  | { readonly action: 'hang'; readonly ms?: number }
  | {
      readonly action: 'status';
      readonly code: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly action: 'truncate'; readonly bytes: number }
  | { readonly action: 'slow'; readonly everyMs: number; readonly bytes?: number }
  | { readonly action: 'lie'; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly action: 'delay'; readonly ms: number }
  | { readonly action: 'lagQuery'; readonly ms: number }
  | { readonly action: 'silence'; readonly ms: number }
  | { readonly action: 'reorder'; readonly frames: number; readonly ms?: number }
  | { readonly action: 'close'; readonly code: number };

export type ActionOf<Name extends FaultAction['action']> = FaultAction & { readonly action: Name };

/**
 * One rule of a plan. `on` picks requests by method, path (a trailing `*` = begins with) and parameters, or stream frames by path
 * and fields (each value is a regular expression over the whole text). Of those it strikes the `nth` (from 1), every `every`th,
 * each with probability `p`, or all; at most `times` of them, and none from `untilMs` on.
 */
export type FaultRule = {
  /** A rule with the id of another takes its place. Without one the venue gives it one. */
  readonly id?: string;
  readonly on: {
    readonly method?: string;
    readonly path?: string;
    readonly match?: Readonly<Record<string, string>>;
    readonly nth?: number;
    readonly every?: number;
    readonly p?: number;
  };
  readonly phase: FaultPhase;
  readonly do: FaultAction;
  readonly times?: number;
  /** Epoch milliseconds of the venue's clock. */
  readonly untilMs?: number;
};

/** A rule with how many requests or frames it has looked at and liked, and how many of them it has struck. */
export type PlannedRule = FaultRule & { readonly id: string; readonly matched: number; readonly struck: number };

/** What a rule looks at: a request, or a frame (method `STREAM`). */
export type Target = {
  readonly method: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

export type Faults = {
  /** Adds rules to the plan. */
  add(rules: readonly FaultRule[]): void;
  /** Whether there was such a rule. */
  remove(id: string): boolean;
  clear(): void;
  rules(): readonly PlannedRule[];
  /** The rules that strike this target. Counts it, so ask once per request or frame. */
  strike(target: Target): readonly FaultRule[];
};

type Planned = { readonly id: string; readonly rule: FaultRule; matched: number; struck: number };

export function createFaults(seed: number, clock: SimulatorClock): Faults {
  const random = seededRandom(seed);
  let plan: readonly Planned[] = [];
  let lastNumber = 0;

  const plannedOf = (rule: FaultRule): Planned => {
    lastNumber += 1;
    return { id: rule.id ?? `rule-${lastNumber}`, rule, matched: 0, struck: 0 };
  };

  const isChosen = ({ rule, matched }: Planned): boolean => {
    const { nth, every, p } = rule.on;
    if (nth !== undefined) return matched === nth;
    if (every !== undefined) return matched % every === 0;
    return p === undefined || random.chance(p);
  };

  const strikes = (planned: Planned): boolean => {
    const { times = Number.POSITIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = planned.rule;
    if (clock.nowMs() >= untilMs) return false;
    planned.matched += 1;
    if (planned.struck >= times || !isChosen(planned)) return false;
    planned.struck += 1;
    return true;
  };

  return {
    add(rules) {
      const ids = new Set(rules.map(({ id }) => id));
      plan = [...plan.filter(({ id }) => !ids.has(id)), ...rules.map(plannedOf)];
    },
    remove(id) {
      const before = plan.length;
      plan = plan.filter((planned) => planned.id !== id);
      return plan.length < before;
    },
    clear() {
      plan = [];
    },
    rules: () => plan.map(({ rule, id, matched, struck }) => ({ ...rule, id, matched, struck })),
    strike: (target) =>
      plan
        .filter(({ rule }) => isOn(rule, target))
        .filter(strikes)
        .map(({ rule }) => rule),
  };
}

function isOn({ on, phase }: FaultRule, { method, path, fields }: Target): boolean {
  if ((phase === 'stream') !== (method === 'STREAM')) return false;
  if (on.method !== undefined && on.method !== method) return false;
  if (on.path !== undefined && !isPath(on.path, path)) return false;
  return Object.entries(on.match ?? {}).every(([name, pattern]) =>
    new RegExp(`^(?:${pattern})$`).test(textOf(fields[name])),
  );
}

const textOf = (field: unknown): string =>
  typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean' ? String(field) : '';

const isPath = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;

/** Waits on the venue's clock. */
export const sleep = (clock: SimulatorClock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.schedule(ms, resolve));
