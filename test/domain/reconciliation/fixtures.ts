import { decimal } from '../../../src/domain/decimal.ts';
import type { BalanceDrift, ExternalOrder, PositionShortage } from '../../../src/domain/reconciliation/difference.ts';
import type { OwnFill } from '../../../src/domain/reconciliation/fills.ts';
import type { Tolerances } from '../../../src/domain/reconciliation/tolerance.ts';

export const d = decimal;

export const tolerances: Tolerances = { currency: 'USDT', byAsset: { BNB: d('0.5') } };

export const aDrift = (asset: string, expected: string, actual: string, drift: string): BalanceDrift => ({
  kind: 'balance',
  asset,
  expected: d(expected),
  actual: d(actual),
  drift: d(drift),
});

export const anExternalOrder = (changed: Partial<ExternalOrder> = {}): ExternalOrder => ({
  kind: 'externalOrder',
  symbol: 'BTC/USDT',
  venueOrderId: '7',
  clientOrderId: 'by-hand',
  side: 'BUY',
  quantity: d('1'),
  filledQuantity: d('0'),
  isWorking: true,
  isOrphan: false,
  ...changed,
});

export const aShortage = (changed: Partial<PositionShortage> = {}): PositionShortage => ({
  kind: 'position',
  asset: 'BTC',
  held: d('1'),
  actual: d('0.4'),
  shortage: d('0.6'),
  shares: [{ tradeId: 't-1', leg: 0, symbol: 'BTC/USDT', quantity: d('0.6') }],
  ...changed,
});

export const aFill = (venueTradeId: string, changed: Partial<OwnFill> = {}): OwnFill => ({
  symbol: 'BTC/USDT',
  side: 'BUY',
  venueTradeId,
  venueOrderId: '1',
  clientOrderId: 'rte-1',
  tradeId: 't-1',
  quantity: d('1'),
  price: d('100'),
  quoteQuantity: d('100'),
  fee: d('0.001'),
  feeAsset: 'BTC',
  transactedAtMs: 1_000,
  ...changed,
});
