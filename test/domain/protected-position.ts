import { decimal } from '../../src/domain/decimal.ts';
import type { ProtectedPosition, ProtectionTerms, ProtectiveOrder } from '../../src/domain/protective-stop.ts';
import { aSymbol } from '../support/any-symbol.ts';

const d = decimal;
export const nowMs = 1_000_000;
export const terms: ProtectionTerms = { limitOffsetBps: 50, moveStepBps: 20, moveIntervalMs: 60_000 };

const filters = aSymbol({ quantityMin: d('0.001'), notionalMin: d('5'), notionalMinAppliesToMarket: true });

/** A stop of 1 from 95 that has stood for two minutes. */
export const stop = (part: Partial<ProtectiveOrder> = {}): ProtectiveOrder => ({
  clientOrderId: `rts-${part.generation ?? 1}`,
  generation: 1,
  status: 'new',
  inDoubt: false,
  fillsComplete: true,
  quantity: d('1'),
  stopPrice: d('95'),
  wouldTrigger: false,
  createdAtMs: nowMs - 120_000,
  updatedAtMs: nowMs - 120_000,
  ...part,
});

/** 1 held at a price of 100, with the local stop at 95. */
export const position = (
  part: Partial<ProtectedPosition> = {},
  ...orders: readonly ProtectiveOrder[]
): ProtectedPosition => ({
  side: 'long',
  isLeaving: false,
  held: d('1'),
  hasSold: false,
  localStop: d('95'),
  isArmed: true,
  isTrailing: false,
  orders,
  filters,
  price: d('100'),
  ...part,
});
