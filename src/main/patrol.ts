import type { Logger } from 'pino';
import { accountScope } from '../contracts/messages/names.ts';
import type { Metrics } from '../observability/metrics.ts';
import { openAlerts, raiseAlert, resolveAlert } from '../store/alerts.ts';
import { readBreaker } from '../store/breaker.ts';
import type { Db } from '../store/database.ts';
import { guardsWithoutLease, wakeWatch } from '../store/guards.ts';
import { holdsInForce } from '../store/holds.ts';
import { readStatus } from '../store/status.ts';

const everyMs = 2_000;
/** A worker that restarts has its shards back in less. */
const unwatchedForMs = 5_000;

type Patrol = {
  readonly db: Db;
  readonly venue: string;
  readonly account: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now: () => number;
};

/**
 * Looks at the book every two seconds: sets the gauges that tell its state, and sees that every armed guard has eyes.
 * Guards that nobody watches raise an alert, and their watch is woken. Any number of processes may do it.
 */
export function startPatrol(patrol: Patrol): { readonly stop: () => Promise<void> } {
  let round: Promise<void> = Promise.resolve();
  let isWalking = false;
  const unwatched = new Set<string>();
  const walk = async (): Promise<void> => {
    isWalking = true;
    try {
      await Promise.all([setGauges(patrol), seeGuardsWatched(patrol, unwatched)]);
    } catch (error) {
      patrol.logger.warn({ error }, 'the state of the book can not be read');
    } finally {
      isWalking = false;
    }
  };
  const timer = setInterval(() => {
    if (!isWalking) round = walk();
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await round;
    },
  };
}

async function setGauges({ db, account, metrics, now }: Patrol): Promise<void> {
  const nowMs = now();
  const [book, alerts, holds, breaker] = await Promise.all([
    readStatus(db),
    openAlerts(db),
    holdsInForce(db, nowMs),
    readBreaker(db, accountScope(account), nowMs),
  ]);
  metrics.outboxOpen.set(book.outbox.open);
  metrics.outboxOldestAge.set(book.outbox.oldestAtMs === null ? 0 : (nowMs - book.outbox.oldestAtMs) / 1_000);
  for (const severity of ['CRITICAL', 'WARNING', 'INFO'] as const) {
    metrics.alertsOpen.set({ severity }, alerts.filter((alert) => alert.severity === severity).length);
  }
  for (const level of ['entries-blocked', 'frozen', 'flatten'] as const) {
    metrics.holdsInForce.set({ level }, holds.filter((hold) => hold.level === level).length);
  }
  const status = breaker.state?.status ?? 'CLOSED';
  for (const each of ['CLOSED', 'OPEN', 'HALF_OPEN'] as const) {
    metrics.breakerState.set({ scope: account, state: each }, Number(each === status));
  }
}

async function seeGuardsWatched({ db, venue, now }: Patrol, unwatched: Set<string>): Promise<void> {
  const nowMs = now();
  const found = await guardsWithoutLease(db, nowMs, unwatchedForMs);
  for (const { shard, armed, sinceMs } of found) {
    unwatched.add(shard);
    await raiseAlert(db, {
      condition: conditionOf(shard),
      code: 'GUARDS_UNWATCHED',
      severity: 'CRITICAL',
      context: { shard, armed, unwatchedMs: nowMs - sinceMs },
      nowMs,
    });
    await wakeWatch(db, { venue, shard, nowMs });
  }
  for (const shard of unwatched) {
    if (found.some((each) => each.shard === shard)) continue;
    await resolveAlert(db, { condition: conditionOf(shard), nowMs });
    unwatched.delete(shard);
  }
}

const conditionOf = (shard: string): string => `unwatched:${shard}`;
