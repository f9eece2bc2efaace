import { type BinanceVenueOptions, createBinanceVenue } from '../binance/adapter.ts';
import type { Venue } from '../venue.ts';
import { createCcxtAccess } from './access.ts';

/**
 * The venue of `createBinanceVenue`, asked through ccxt. Answers, limits and streams are those of the dialect, and so is
 * their code.
 */
export const createCcxtVenue = (options: BinanceVenueOptions): Venue =>
  createBinanceVenue(options, createCcxtAccess(options.apiSecret));
