import { type BreakerSettings, type BreakerState, breakerAt, breakerWith } from '../../domain/circuit-breaker.ts';
import { accountCapacity } from '../../domain/limits/capacity.ts';
import { portfolioHealth } from '../../domain/limits/health.ts';
import type { LimitEvaluation } from '../../domain/limits/limit.ts';
import type { Exposure } from '../../domain/limits/snapshot.ts';
import { limitsOf, standingOf } from '../../domain/limits/standing.ts';
import type { HoldView } from '../messages/views.ts';
import type { StatusView } from './status-view.ts';

export type { BreakerSettings };

/** Everything that a status is made of, as the book and Temporal answered. */
export type StatusFacts = {
  readonly site: Pick<StatusView, 'mode' | 'account' | 'venue' | 'currency'>;
  readonly account: Account | undefined;
  /** Of the account: what counts against its limits. */
  readonly exposures: readonly Exposure[];
  readonly book: Book;
  readonly holds: readonly HoldView[];
  readonly alerts: StatusView['alerts'];
  readonly breaker: {
    readonly state: BreakerState | null;
    readonly unapplied: readonly { readonly kind: 'failure' | 'success'; readonly atMs: number }[];
  };
  readonly breakerSettings: BreakerSettings;
  readonly health: Omit<StatusView['parts'], 'database'>;
  readonly nowMs: number;
};

type Account = {
  readonly currency: string;
  readonly limits: unknown;
  readonly equity: StatusView['equity']['amount'];
  readonly equityAtMs: number | null;
  readonly equityFault: string | null;
  readonly balances: StatusView['balances'];
};

type Book = Pick<StatusView, 'trades' | 'orders'> & {
  readonly outbox: { readonly open: number; readonly oldestAtMs: number | null };
  readonly audit: { readonly unsealed: number; readonly oldestUnsealedAtMs: number | null };
};

/** As long as a message or a record may wait before a person should know. */
const lateMs = 5_000;

/** The state of a stack, with what is wrong in words. */
export function statusOf(facts: StatusFacts): StatusView {
  const { site, account, book, holds, alerts, nowMs } = facts;
  const age = (atMs: number | null) => (atMs === null ? null : Math.max(0, nowMs - atMs));
  const status = {
    ...site,
    equity: {
      amount: account?.equity ?? null,
      atMs: account?.equityAtMs ?? null,
      fault: account?.equityFault ?? null,
    },
    balances: account?.balances ?? [],
    ...limitsUsed(facts),
    parts: { database: { ok: true, detail: 'answers' }, ...facts.health },
    breaker: breakerOf(facts),
    holds,
    trades: book.trades,
    orders: book.orders,
    alerts,
    outbox: { open: book.outbox.open, oldestAgeMs: age(book.outbox.oldestAtMs) },
    audit: { unsealed: book.audit.unsealed, oldestUnsealedAgeMs: age(book.audit.oldestUnsealedAtMs) },
  };
  return { ...status, problems: problemsOf(status, account !== undefined) };
}

function limitsUsed({
  account,
  exposures,
  nowMs,
}: StatusFacts): Pick<StatusView, 'portfolio' | 'remaining' | 'brokenLimits'> {
  const limits = limitsOf(account);
  const standing = standingOf(account, exposures, nowMs);
  const { exposureTotal, portfolioDelta, openCount } = standing.book;
  return {
    portfolio: { exposure: exposureTotal, delta: portfolioDelta, openTrades: openCount },
    remaining: accountCapacity(standing, limits),
    // Without an account there is no book that could break anything: that it is missing is said once.
    brokenLimits: account === undefined ? [] : portfolioHealth(standing, limits),
  };
}

function breakerOf({ breaker, breakerSettings, nowMs }: StatusFacts): StatusView['breaker'] {
  const { status, openedAtMs } = breakerAt(breakerSettings, breakerWith(breakerSettings, breaker), nowMs);
  return { state: status, openedAtMs };
}

function problemsOf(status: Omit<StatusView, 'problems'>, isAccountKnown: boolean): readonly string[] {
  const { parts, breaker, orders, alerts, outbox, audit, equity } = status;
  const isLate = (ageMs: number | null) => ageMs !== null && ageMs > lateMs;
  return [
    ...Object.entries(parts)
      // Of workers nothing is known while Temporal is silent, and one cause is said once.
      .filter(([name, part]) => !part.ok && (parts.temporal.ok || name === 'temporal'))
      .map(([name, part]) => `${name}: ${part.detail}`),
    ...(isAccountKnown ? [] : [`account ${status.account} is not set up`]),
    ...(equity.fault === null ? [] : [`equity is not known: ${equity.fault}`]),
    ...limitProblems(status),
    ...(breaker.state === 'CLOSED' ? [] : [`the circuit breaker is ${breaker.state}`]),
    ...(orders.inDoubt > 0 ? [`${orders.inDoubt} orders in doubt, being asked for`] : []),
    ...(orders.parked > 0 ? [`${orders.parked} orders parked: ratchet resolve`] : []),
    ...alerts.filter(({ severity }) => severity !== 'INFO').map(({ code, message }) => `alert ${code}: ${message}`),
    ...(isLate(outbox.oldestAgeMs) ? [`${outbox.open} messages to workflows wait: does a worker run?`] : []),
    ...(isLate(audit.oldestUnsealedAgeMs)
      ? [`${audit.unsealed} records are not sealed: does a worker or the API run?`]
      : []),
  ];
}

// Every limit that is a share of an equity can't be measured for the same reason, and one cause is said once.
function limitProblems({ brokenLimits, equity }: Pick<StatusView, 'brokenLimits' | 'equity'>): readonly string[] {
  const isSaid = ({ code }: LimitEvaluation) => code === 'EQUITY_UNKNOWN' && equity.fault !== null;
  return [...new Set(brokenLimits.filter((broken) => !isSaid(broken)).map(lineOf))];
}

const lineOf = ({ control, scope, wouldBe, limit, note }: LimitEvaluation): string =>
  wouldBe === null || limit === null
    ? `limits can not be measured: ${note}`
    : `limit ${control} of ${scope} is broken: ${wouldBe}, allowed ${limit}`;
