import { circuitBreaker } from './circuit-breaker.ts';
import { concentration } from './concentration.ts';
import { correlatedExposure } from './correlated-exposure.ts';
import { entryBrake } from './entry-brake.ts';
import { entryRate } from './entry-rate.ts';
import { equity } from './equity.ts';
import type { Control } from './limit.ts';
import { orderNotional } from './order-notional.ts';
import { portfolioDelta } from './portfolio-delta.ts';
import { portfolioGamma } from './portfolio-gamma.ts';
import { referencePrice } from './reference-price.ts';
import { repeatedEntries } from './repeated-entries.ts';
import { requestDeadline } from './request-deadline.ts';
import { shortEntry } from './short-entry.ts';
import { slippage } from './slippage.ts';
import { symbolDelta } from './symbol-delta.ts';
import { totalExposure } from './total-exposure.ts';
import { tradingState } from './trading-state.ts';
import { venueFilters } from './venue-filters.ts';

/** Every control of the gate, in the order in which people read their answers. All are asked, whatever the first says. */
export const controls: readonly Control[] = [
  tradingState,
  circuitBreaker,
  entryBrake,
  repeatedEntries,
  entryRate,
  requestDeadline,
  shortEntry,
  equity,
  referencePrice,
  slippage,
  venueFilters,
  orderNotional,
  portfolioDelta,
  portfolioGamma,
  symbolDelta,
  concentration,
  correlatedExposure,
  totalExposure,
];
