import type { AlertCode } from '../../domain/errors/alert-endings.ts';
import type { ErrorContext } from '../../domain/errors.ts';
import {
  type Difference,
  type DifferenceKind,
  describeDifference,
  keyOf,
} from '../../domain/reconciliation/difference.ts';
import { raiseAlert, resolveAlert } from '../alerts.ts';
import type { Db, Tx } from '../database.ts';
import { record } from '../record.ts';

const codes: Record<DifferenceKind, AlertCode> = {
  externalOrder: 'EXTERNAL_ORDER',
  missingOrder: 'ORDER_MISSING',
  missingFill: 'FILL_MISSING',
  uncountedFill: 'FILL_UNCOUNTED',
  changedFill: 'FILL_CORRECTED',
  balance: 'BALANCE_DRIFT',
  position: 'POSITION_SHORT',
};

type Where = { readonly account: string; readonly venue: string };

/** What lasts as one alert. Orders of others and fills told anew are raised where they are heard, too: it is the same. */
function conditionOf({ account, venue }: Where, difference: Difference): string {
  switch (difference.kind) {
    case 'externalOrder':
      return `external-order:${account}:${venue}:${difference.symbol}:${difference.venueOrderId}`;
    case 'changedFill':
      return `fill-corrected:${[account, venue, difference.symbol, difference.venueTradeId, difference.side].join(':')}`;
    default:
      return `difference:${account}:${keyOf(difference)}`;
  }
}

/** Tells people of a difference, once as long as it lasts. Orders of others go on record as the stream's do. */
export async function raiseDifference(tx: Tx, where: Where, difference: Difference, nowMs: number): Promise<void> {
  const { account, venue } = where;
  const isNew = await raiseAlert(tx, {
    condition: conditionOf(where, difference),
    code: codes[difference.kind],
    severity: difference.kind === 'changedFill' ? 'WARNING' : 'CRITICAL',
    // By name: whoever calls may know more of the run than a person wants to read.
    context: { account, venue, ...contextOf(difference), what: describeDifference(difference) },
    ...('tradeId' in difference && { tradeId: difference.tradeId }),
    nowMs,
  });
  if (!isNew || difference.kind !== 'externalOrder') return;
  const { kind: _, ...order } = difference;
  await record(tx, {
    type: 'ExternalOrderSeen',
    key: [account, venue, order.symbol, order.venueOrderId, nowMs],
    atMs: nowMs,
    actor: { type: 'venue', id: venue },
    data: { account, ...order },
  });
}

export const resolveDifference = (db: Db, where: Where, difference: Difference, nowMs: number): Promise<boolean> =>
  resolveAlert(db, { condition: conditionOf(where, difference), nowMs });

function contextOf(difference: Difference): ErrorContext {
  if ('asset' in difference) return { asset: difference.asset };
  const { symbol, clientOrderId } = difference;
  const venueOrderId = 'venueOrderId' in difference ? { venueOrderId: difference.venueOrderId } : {};
  return { symbol, ...(clientOrderId !== null && { clientOrderId }), ...venueOrderId };
}
