import type { SharedCharge, SharedRates } from '../contracts/messages/shared-rates.ts';
import {
  type RateCharge,
  type RateLimit,
  type RatePause,
  type RateRequest,
  scopesOver,
  shareOf,
  windowStartMs,
  yieldMs,
} from '../domain/rate-limit.ts';
import type { Clock } from './clock.ts';
import { createRateCounters, type RateUsed, reportedOf } from './rate-counters.ts';
import { createRatePacing } from './rate-pacing.ts';
import { createRatePauses, type Refusal } from './rate-pauses.ts';

export type { RateLimit, RateLimitKind, RatePause } from '../domain/rate-limit.ts';

/** What an answer of the venue tells about its limits. */
export type RateAnswer = { readonly used: RateUsed; readonly pause?: RatePause };

type RateGrant =
  /** `settle` is called once with what the answer said, or with null when none came. */
  | { readonly outcome: 'granted'; settle(answer: RateAnswer | null): void }
  | { readonly outcome: 'refused'; readonly retryAtMs: number; readonly reason: string };

/**
 * One venue's request budget. Nobody waits in here for their turn: a request is granted at once or refused with the time
 * to try again, so that nothing slow stands in front of something urgent. Entries and reports stay below the venue's
 * limits, over all processes where `shared` is given. Exits and cancels are held back by nobody but the venue, and never
 * wait for the database.
 */
export type RateBudget = {
  take(request: RateRequest): Promise<RateGrant>;
  learnLimits(limits: readonly RateLimit[]): void;
  /** The venue's clock minus ours: its windows begin by its own clock. */
  learnClockOffset(offsetMs: number): void;
  /** While the venue bans us: when the ban ends. */
  bannedUntilMs(): number | null;
};

export type RateBudgetOptions = {
  /** Known from the start; the venue's adapter teaches the rest. */
  readonly limits?: readonly RateLimit[];
  readonly clock: Clock;
  /** What other processes have used and were told. Absent = this process is alone. */
  readonly shared?: SharedRates;
  /** Called once for each pause that the venue asks for, of this process or another. */
  readonly onPause?: (pause: RatePause) => void;
};

// While the shared counts can't be read, entries ask again after this long.
const unreadableRetryMs = 1000;

export function createRateBudget({ limits = [], clock, shared, onPause }: RateBudgetOptions): RateBudget {
  const counters = createRateCounters();
  const pauses = createRatePauses(clock, onPause);
  const pace = createRatePacing();
  let offsetMs: number | null = null;
  counters.learn(limits);

  const venueNowMs = (): number => clock.nowMs() + (offsetMs ?? 0);
  const byUs = (pause: RatePause): RatePause => ({ ...pause, untilMs: pause.untilMs - (offsetMs ?? 0) });
  shared?.onPauses((told) => {
    for (const pause of told) pauses.add(byUs(pause));
  });

  /** What this process alone knows against it. Counts the request where that is nothing. */
  const takeHere = (request: RateRequest): Refusal | readonly RateCharge[] => {
    const held = pauses.holding(request);
    if (held !== null) return held;
    const over = counters.overdrawn(request, venueNowMs());
    if (over !== null) {
      const { kind, windowMs } = over.limit;
      return { retryAtMs: over.untilMs - (offsetMs ?? 0), reason: overdrawn(request, kind, windowMs) };
    }
    const waitMs = pace(request, counters.limits(), clock.monotonicMs());
    if (waitMs > 0) return { retryAtMs: clock.nowMs() + waitMs, reason: `the ${request.lane} lane is paced` };
    return counters.charge(request, venueNowMs());
  };

  /** What the other processes have against it. */
  const takeShared = async (
    { take }: SharedRates,
    request: RateRequest,
    charges: readonly RateCharge[],
  ): Promise<Refusal | null> => {
    const drawn = withShares(charges, counters.limits(), request);
    const asked = { charges: drawn, scopes: scopesOver(request), yieldMs: yieldMs[request.lane] };
    try {
      const taken = await take({ ...asked, venueNowMs: venueNowMs() });
      if (taken.outcome === 'paused') pauses.add(byUs(taken.pause));
      // This process may have been told to wait in the meantime.
      if (taken.outcome !== 'overdrawn') return pauses.holding(request);
      const untilMs = windowStartMs(taken.windowMs, venueNowMs()) + taken.windowMs;
      return { retryAtMs: untilMs - (offsetMs ?? 0), reason: overdrawn(request, taken.kind, taken.windowMs) };
    } catch {
      return { retryAtMs: clock.nowMs() + unreadableRetryMs, reason: 'the shared request counts can not be read' };
    }
  };

  /** Takes in what the answer said and tells the others, who know us by the venue's clock. */
  const settle = (charges: readonly RateCharge[], wasTaken: boolean, answer: RateAnswer | null): void => {
    const used = answer?.used ?? null;
    counters.settle(charges, used, venueNowMs());
    const isNews = answer?.pause !== undefined && pauses.add(answer.pause);
    // While the venue's clock is not known, ours must do for a pause: everybody has to hear of it.
    if (isNews) shared?.pause({ ...answer.pause, untilMs: answer.pause.untilMs + (offsetMs ?? 0) });
    if (shared === undefined || offsetMs === null) return;
    const answeredAtMs = venueNowMs();
    const told = charges.map((charge) => ({ ...charge, wasTaken, answeredAtMs, reported: reportedOf(used, charge) }));
    shared.settle(told.filter(({ cost, reported }) => cost > 0 || reported !== null));
  };

  return {
    async take(request) {
      const charges = takeHere(request);
      if ('reason' in charges) return { outcome: 'refused', ...charges };
      const isUrgent = request.lane === 'exit' || request.lane === 'cancel';
      // Before the venue's clock is known nobody can say which window it is.
      const isShared = shared !== undefined && offsetMs !== null && !isUrgent;
      const refusal = isShared ? await takeShared(shared, request, charges) : null;
      if (refusal === null) return { outcome: 'granted', settle: (answer) => settle(charges, isShared, answer) };
      counters.release(charges);
      return { outcome: 'refused', ...refusal };
    },
    learnLimits: counters.learn,
    learnClockOffset(measuredMs) {
      offsetMs = measuredMs;
    },
    bannedUntilMs: pauses.bannedUntilMs,
  };
}

const overdrawn = ({ lane }: RateRequest, kind: string, windowMs: number): string =>
  `the ${lane} share of the ${kind} in ${windowMs} ms is used up`;

/** What the request draws on, with how much of each its lane may see used over all processes. */
const withShares = (
  charges: readonly RateCharge[],
  limits: readonly RateLimit[],
  { lane }: RateRequest,
): readonly SharedCharge[] =>
  charges.flatMap((charge) => {
    const limit = limits.find(({ kind, windowMs }) => kind === charge.kind && windowMs === charge.windowMs);
    return limit === undefined || charge.cost === 0 ? [] : [{ ...charge, share: shareOf(limit, lane) ?? limit.max }];
  });
