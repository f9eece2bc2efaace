import { type Decimal, isLess, isMore } from '../../domain/decimal.ts';
import type { Side } from '../../domain/order.ts';
import type { PaperOrderType, StopOrderType } from './ledger.ts';

type Stop = { readonly side: Side; readonly type: PaperOrderType; readonly stopPrice: Decimal | null };

const stopTypes: ReadonlySet<string> = new Set<StopOrderType>([
  'STOP_LOSS',
  'STOP_LOSS_LIMIT',
  'TAKE_PROFIT',
  'TAKE_PROFIT_LIMIT',
]);

export const isStopType = (type: string): type is StopOrderType => stopTypes.has(type);

/**
 * Whether a last price triggers a stop order. A stop loss is behind the market (a purchase above it, a sale below it), a
 * take profit before it.
 */
export function isTriggeredAt(last: Decimal, { side, type, stopPrice }: Stop): boolean {
  if (stopPrice === null) return false;
  const isLoss = type === 'STOP_LOSS' || type === 'STOP_LOSS_LIMIT';
  const waitsForRise = (side === 'BUY') === isLoss;
  return waitsForRise ? !isLess(last, stopPrice) : !isMore(last, stopPrice);
}
