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
 * - `garbage`: answers 200 with a page that is no JSON; on a stream, sends a frame that is none.
 * - `delay`: waits, then goes on. Between `after_accept` and the match, too.
 * - `dup`: does the request twice, as a network that repeats it would; on a stream, sends the frame twice.
 * - `reorder`: holds `frames` frames back and sends them in reverse.
 * - `lagQuery`: orders accepted in the last `ms` are not yet there for this query.
 * - `close`: closes the stream with `code`.
 * - `silence`: the stream says nothing for `ms`, neither pings nor answers to them.
 */
export type FaultAction =
  | { readonly action: 'drop' | 'reset' | 'garbage' | 'dup' }
  | { readonly action: 'hang'; readonly ms?: number }
  | {
      readonly action: 'status';
      readonly code: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly action: 'truncate'; readonly bytes: number }
  | { readonly action: 'delay'; readonly ms: number }
  | { readonly action: 'lagQuery'; readonly ms: number }
  | { readonly action: 'silence'; readonly ms: number }
  | { readonly action: 'reorder'; readonly frames: number }
  | { readonly action: 'close'; readonly code: number };

/**
 * One rule of a plan. `on` picks requests by method, path (a trailing `*` = begins with) and parameters, or stream frames by path
 * and fields (each value is a regular expression over the whole text). Of those it strikes the `nth` (from 1), every `every`th,
 * each with probability `p`, or all.
 */
export type FaultRule = {
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
};

/** What a rule looks at: a request, or a frame (method `STREAM`). */
export type Target = {
  readonly method: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

export type Faults = {
  /** Adds rules to the plan. */
  add(rules: readonly FaultRule[]): void;
  clear(): void;
  rules(): readonly FaultRule[];
  /** The rules that strike this target. Counts it, so ask once per request or frame. */
  strike(target: Target): readonly FaultRule[];
};

type Planned = { readonly rule: FaultRule; matched: number };

export function createFaults(seed: number): Faults {
  const random = seededRandom(seed);
  let plan: Planned[] = [];

  const strikes = (planned: Planned): boolean => {
    const { nth, every, p } = planned.rule.on;
    planned.matched += 1;
    if (nth !== undefined) return planned.matched === nth;
    if (every !== undefined) return planned.matched % every === 0;
    return p === undefined || random.chance(p);
  };

  return {
    add(rules) {
      plan = [...plan, ...rules.map((rule) => ({ rule, matched: 0 }))];
    },
    clear() {
      plan = [];
    },
    rules: () => plan.map(({ rule }) => rule),
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
