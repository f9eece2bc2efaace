import { type Decimal, multiply, sum } from '../../src/domain/decimal.ts';
import type { OrderPurpose } from '../../src/domain/order.ts';
import { applyFill, openPosition, type PositionFill, realizedPnl, unrealizedPnl } from '../../src/domain/position.ts';
import { type Adapter, decimalOf, type Values } from './adapter.ts';

const anOpening = openPosition({ side: 'long', baseAsset: 'BASE', quoteAsset: 'QUOTE' });

const fillOf = (purpose: OrderPurpose, quantity: Decimal, price: Decimal): PositionFill => ({
  venueTradeId: '1',
  purpose,
  quantity,
  quoteQuantity: multiply(quantity, price),
  fee: decimalOf('0'),
  feeAsset: 'QUOTE',
  feeAssetPrice: null,
});

const enter = ({ qty, entry }: Values) => applyFill(anOpening, fillOf('entry', decimalOf(qty), decimalOf(entry)));

export const adapter: Adapter = {
  offered: {
    close: ({ params }) => {
      const exit = fillOf('exit', decimalOf(params['qty']), decimalOf(params['exit']));
      return { pnl: realizedPnl(applyFill(enter(params), exit)) };
    },
    unrealized: ({ params }) => {
      const hasPosition = params['qty'] !== undefined && params['qty'] !== null;
      return { pnl: hasPosition ? unrealizedPnl(enter(params), decimalOf(params['price'])) : null };
    },
    total: ({ params }) => ({ pnl: sum((params['closed'] as readonly unknown[]).map(decimalOf)) }),
  },
  notOffered: {
    open_duplicate: 'a position is the fold of its fills; the store refuses a second trade with the same id',
    close_missing: 'a position is the fold of its fills; nothing closes it but them',
  },
};
