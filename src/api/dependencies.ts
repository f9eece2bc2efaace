import type { Client } from '@temporalio/client';
import type { FastifyBaseLogger } from 'fastify';
import type { LastPrice, TemporalUi } from '../contracts/schemas/book-views.ts';
import type { BreakerSettings } from '../contracts/schemas/status-of.ts';
import type { Market } from '../contracts/schemas/status-view.ts';
import type { Db } from '../store/database.ts';
import type { Rates } from './rate-limits.ts';

/** What the API works with. Only a composition root builds it. */
export type ApiDependencies = {
  readonly db: Db;
  readonly temporal: Client;
  readonly logger: FastifyBaseLogger;
  readonly now: () => number;
  readonly rates: Rates;
  readonly site: Site;
  readonly breaker: BreakerSettings;
  /** Last price and rules of a symbol, or undefined when the venue does not trade it. */
  readonly readMarket: (symbol: string) => Promise<Market | undefined>;
  /** The last price of a symbol, within a few hundred milliseconds or not at all: null. */
  readonly lastPrice: (symbol: string) => Promise<LastPrice | null>;
  /** The metrics of this process as Prometheus text. */
  readonly metricsText: () => Promise<string>;
};

/** What this stack is. */
type Site = {
  readonly mode: 'paper' | 'live';
  readonly account: string;
  readonly venue: string;
  readonly currency: string;
  readonly temporalUi: TemporalUi;
};
