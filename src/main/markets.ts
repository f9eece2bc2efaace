import type { VenueRoom } from '../../activities/dependencies.ts';
import { readStackFile } from '../config/stack-file.ts';
import type { LastPrice } from '../contracts/schemas/book-views.ts';
import type { Market } from '../contracts/schemas/status-view.ts';
import { RatchetError } from '../domain/errors.ts';

const priceTimeoutMs = 2_000;
const lastPriceTimeoutMs = 300;
const controlTimeoutMs = 1_000;

/**
 * What the API tells of a market: rules and last price as the venue gives them, and whether the paper venue's replay has
 * come to its end. Undefined for a symbol that the venue does not trade.
 */
export const createMarketReader = ({ filters, prices }: Pick<VenueRoom, 'filters' | 'prices'>, dataFolder: string) =>
  async function readMarket(symbol: string): Promise<Market | undefined> {
    const rules = await filters.get(symbol).catch(unlessUnknown);
    if (rules === undefined) return undefined;
    const [latest, pricesEnded] = await Promise.all([
      prices.awaitPrice(symbol, priceTimeoutMs),
      havePricesEnded(dataFolder),
    ]);
    return {
      symbol,
      last: latest?.price ?? null,
      tickSize: rules.tickSize,
      stepSize: rules.stepSize,
      quantityMin: rules.quantityMin,
      notionalMin: rules.notionalMin,
      pricesEnded,
    };
  };

/** What the API adds to an answer that is complete without it: the last price if it is at hand, or comes at once. */
export const createPriceReader = ({ prices }: Pick<VenueRoom, 'prices'>) =>
  async function readLastPrice(symbol: string): Promise<LastPrice | null> {
    const latest = await prices.awaitPrice(symbol, lastPriceTimeoutMs);
    return latest && { price: latest.price, ageMs: Math.ceil(latest.streamAgeMs) };
  };

function unlessUnknown(error: unknown): undefined {
  if (error instanceof RatchetError && error.code === 'SYMBOL_UNKNOWN') return undefined;
  throw error;
}

// Only the paper venue of this stack has a control port; a market of the world never ends.
async function havePricesEnded(dataFolder: string): Promise<boolean> {
  const controlUrl = readStackFile(dataFolder)?.paper?.controlUrl;
  if (controlUrl === undefined) return false;
  try {
    const response = await fetch(`${controlUrl}/__sim/state`, { signal: AbortSignal.timeout(controlTimeoutMs) });
    const { pricesEnded } = (await response.json()) as { pricesEnded?: boolean };
    return pricesEnded === true;
  } catch {
    // It is away for a moment, which says nothing about its prices.
    return false;
  }
}
