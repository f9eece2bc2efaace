import type { Logger } from 'pino';
import type { VenueRoom } from '../../activities/dependencies.ts';
import type { ConfigWith } from '../config/config.ts';
import { decimal } from '../domain/decimal.ts';
import type { Metrics } from '../observability/metrics.ts';
import { createPriceHub, type PriceHubEvent } from '../prices/price-hub.ts';
import type { Db } from '../store/database.ts';
import { createSharedRates } from '../store/fleet/rate-budget.ts';
import type { Listener } from '../store/listener.ts';
import { createBinanceVenue } from '../venue/binance/adapter.ts';
import { createCcxtVenue } from '../venue/ccxt/adapter.ts';
import { systemClock } from '../venue/clock.ts';
import { createFilterCache } from '../venue/filter-cache.ts';
import { createRateBudget, type RateBudgetOptions } from '../venue/rate-budget.ts';
import type { Venue } from '../venue/venue.ts';

export const venueSettings = [
  'RATCHET_VENUE_REST_URL',
  'RATCHET_VENUE_STREAM_URL',
  'RATCHET_VENUE_WS_API_URL',
  'VENUE_API_KEY',
  'VENUE_API_SECRET',
] as const;

export type VenueConfig = ConfigWith<(typeof venueSettings)[number]>;

const adapters = { binance: createBinanceVenue, ccxt: createCcxtVenue };

/**
 * The venue that the configuration names. Paper and Binance speak one dialect, so each adapter is for both. Without
 * `shared` it counts its requests alone, for a command that must work while the database is away.
 */
export function openVenue(
  config: VenueConfig,
  logger: Logger,
  limits: Pick<RateBudgetOptions, 'onPause' | 'shared'> = {},
): Venue {
  return adapters[config.RATCHET_VENUE_ADAPTER]({
    name: config.RATCHET_VENUE,
    restUrl: config.RATCHET_VENUE_REST_URL,
    streamUrl: config.RATCHET_VENUE_STREAM_URL,
    wsApiUrl: config.RATCHET_VENUE_WS_API_URL,
    apiKey: config.VENUE_API_KEY.reveal(),
    apiSecret: config.VENUE_API_SECRET.reveal(),
    budget: createRateBudget({ clock: systemClock, ...limits }),
    clock: systemClock,
    logger,
  });
}

/** The venue's limits as all processes on this database share them. `listener` tells of pauses sooner. */
export function openSharedRates(
  { RATCHET_VENUE: venue }: Pick<VenueConfig, 'RATCHET_VENUE'>,
  { db, holder, logger, listener }: { db: Db; holder: string; logger: Logger; listener?: Listener },
) {
  return createSharedRates({
    db,
    venue,
    holder,
    onAnnounced: (announced) => listener?.on('ratchet_pauses', announced) ?? (() => undefined),
    onError: (error) => logger.warn({ error, venue }, 'the shared request counts can not be reached'),
  });
}

/** The venue with what a worker keeps beside it. */
export function openRoom(
  venue: Venue,
  { RATCHET_PRICE_JUMP_MAX_PERCENT: jumpMaxPercent }: Pick<VenueConfig, 'RATCHET_PRICE_JUMP_MAX_PERCENT'>,
  logger: Logger,
  metrics: Metrics,
): VenueRoom {
  return {
    venue,
    prices: createPriceHub({
      venue,
      clock: systemClock,
      logger,
      onEvent: (event) => count(event, logger, metrics),
      jumpMaxPercent: decimal(String(jumpMaxPercent)),
    }),
    filters: createFilterCache({
      fetch: (symbol) => venue.filters(symbol),
      now: systemClock.monotonicMs,
      onWarning: (warning) => logger.warn(warning, 'filters are old, the venue does not answer'),
    }),
  };
}

function count(event: PriceHubEvent, logger: Logger, metrics: Metrics): void {
  switch (event.type) {
    case 'quarantined':
      metrics.pricesQuarantined.inc();
      logger.warn(event, 'price set aside');
      break;
    case 'outOfSequence':
      metrics.pricesQuarantined.inc();
      logger.info(event, 'price out of sequence set aside');
      break;
    case 'suspect':
      metrics.pricesSuspect.inc();
      logger.warn(event, 'price is far from the last one, asking the venue');
      break;
    case 'confirmed':
      logger.warn(event, 'price that was far from the last one is true');
      break;
    case 'contradicted':
      metrics.pricesQuarantined.inc();
      logger.warn(event, 'price that the venue does not have set aside');
      break;
    case 'gap':
      metrics.priceGaps.inc();
      logger.info(event, 'gap in the trades, filling it');
      break;
    case 'stale':
      metrics.priceStale.inc();
      logger.warn(event, 'price stream is silent');
      break;
    case 'recovered':
      metrics.priceRecovered.inc();
      logger.info(event, 'price stream is heard again');
      break;
    case 'restarted':
      logger.info(event, 'price stream changed');
      break;
  }
}
