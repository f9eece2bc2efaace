import type { Logger } from 'pino';
import { accountScope } from '../contracts/messages/names.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { PriceHub } from '../prices/price-hub.ts';
import { openAlerts, raiseAlert, resolveAlert } from '../store/alerts.ts';
import type { Db } from '../store/database.ts';
import { guardsWithoutLease, wakeWatch } from '../store/guards/guards.ts';
import { forgetSettled } from '../store/outbox.ts';
import { readStatus } from '../store/status.ts';
import { readBreaker } from '../store/trading-state/breaker.ts';
import { holdsInForce } from '../store/trading-state/holds.ts';
import { createPriceAlert } from './price-alert.ts';
import { startRounds } from './rounds.ts';

const everyMs = 2_000;
/** A worker that restarts has its shards back in less. */
const unwatchedForMs = 5_000;
/** Delivered messages are kept for a day, for whoever looks into what was said. */
const keepMessagesMs = 86_400_000;
const forgetEveryMs = 600_000;

type Patrol = {
  readonly db: Db;
  readonly venue: string;
  readonly account: string;
  readonly prices: Pick<PriceHub, 'stats'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now: () => number;
};

/**
 * Looks at the book every two seconds: sets the gauges that tell its state, sees that every armed guard has eyes and
 * that these hear prices, and clears away what was delivered long ago. Any number of processes may do it.
 */
export function startPatrol(patrol: Patrol): { readonly stop: () => Promise<void> } {
  return startRounds({
    everyMs,
    round: createPatrol(patrol),
    onFault: (error) => patrol.logger.warn({ error }, 'the state of the book can not be read'),
  });
}

/** One round of the patrol at each call. */
export function createPatrol(patrol: Patrol): () => Promise<void> {
  const seePricesHeard = createPriceAlert(patrol);
  let forgottenAtMs = 0;
  return async () => {
    await Promise.all([setGauges(patrol), seeGuardsWatched(patrol), seePricesHeard()]);
    const nowMs = patrol.now();
    if (nowMs - forgottenAtMs < forgetEveryMs) return;
    forgottenAtMs = nowMs;
    await forgetSettled(patrol.db, nowMs - keepMessagesMs);
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

/** Guards that nobody watches raise an alert, and their watch is woken. */
async function seeGuardsWatched({ db, venue, now }: Patrol): Promise<void> {
  const nowMs = now();
  const found = await guardsWithoutLease(db, nowMs, unwatchedForMs);
  for (const { shard, armed, sinceMs } of found) {
    await raiseAlert(db, {
      condition: conditionOf(shard),
      code: 'GUARDS_UNWATCHED',
      severity: 'CRITICAL',
      context: { shard, armed, unwatchedMs: nowMs - sinceMs },
      nowMs,
    });
    await wakeWatch(db, { venue, shard, nowMs });
  }
  const still = new Set(found.map(({ shard }) => conditionOf(shard)));
  for (const { code, condition } of await openAlerts(db)) {
    if (code === 'GUARDS_UNWATCHED' && !still.has(condition)) await resolveAlert(db, { condition, nowMs });
  }
}

const conditionOf = (shard: string): string => `unwatched:${shard}`;
