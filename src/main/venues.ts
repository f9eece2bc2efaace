import type { Logger } from 'pino';
import type { VenueRoom } from '../../activities/dependencies.ts';
import type { ConfigWith } from '../config/config.ts';
import type { Metrics } from '../observability/metrics.ts';
import { createPriceHub, type PriceHubEvent } from '../prices/price-hub.ts';
import { createBinanceVenue } from '../venue/binance/adapter.ts';
import { systemClock } from '../venue/clock.ts';
import { createFilterCache } from '../venue/filter-cache.ts';
import { createRateBudget, type RatePause } from '../venue/rate-budget.ts';
import type { Venue } from '../venue/venue.ts';

export const venueSettings = [
  'RATCHET_VENUE_REST_URL',
  'RATCHET_VENUE_STREAM_URL',
  'RATCHET_VENUE_WS_API_URL',
  'VENUE_API_KEY',
  'VENUE_API_SECRET',
] as const;

export type VenueConfig = ConfigWith<(typeof venueSettings)[number]>;

/** The venue that the configuration names. Paper and Binance speak one dialect, so they are one adapter. */
export function openVenue(
  config: VenueConfig,
  logger: Logger,
  onPause: (pause: RatePause) => void = () => undefined,
): Venue {
  return createBinanceVenue({
    name: config.RATCHET_VENUE,
    restUrl: config.RATCHET_VENUE_REST_URL,
    streamUrl: config.RATCHET_VENUE_STREAM_URL,
    wsApiUrl: config.RATCHET_VENUE_WS_API_URL,
    apiKey: config.VENUE_API_KEY.reveal(),
    apiSecret: config.VENUE_API_SECRET.reveal(),
    budget: createRateBudget({ limits: [], clock: systemClock, onPause }),
    clock: systemClock,
    logger,
  });
}

/** The venue with what a worker keeps beside it. */
export function openRoom(venue: Venue, logger: Logger, metrics: Metrics): VenueRoom {
  return {
    venue,
    prices: createPriceHub({ venue, clock: systemClock, logger, onEvent: (event) => count(event, logger, metrics) }),
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
