import type { PriceHub } from '../prices/price-hub.ts';
import { raiseAlert, resolveAlert } from '../store/alerts.ts';
import type { Db } from '../store/database.ts';

export type PriceAlertOptions = {
  readonly db: Db;
  readonly venue: string;
  readonly prices: Pick<PriceHub, 'stats'>;
  readonly now: () => number;
};

/**
 * One look at the price stream at each call: an alert while it is silent. A process that was stopped for a moment has
 * heard nothing either, and hears the rest at once: only what is silent at two looks is told.
 */
export function createPriceAlert({ db, venue, prices, now }: PriceAlertOptions): () => Promise<void> {
  const condition = `prices-stale:${venue}`;
  let silentLooks = 0;
  // A process that ended while its stream was silent has left its alert open.
  let mayBeOpen = true;
  return async () => {
    silentLooks = prices.stats().isStale ? silentLooks + 1 : 0;
    if (silentLooks > 1) {
      mayBeOpen = true;
      await raiseAlert(db, { condition, code: 'PRICES_STALE', severity: 'WARNING', context: { venue }, nowMs: now() });
    } else if (silentLooks === 0 && mayBeOpen) {
      await resolveAlert(db, { condition, nowMs: now() });
      mayBeOpen = false;
    }
  };
}
