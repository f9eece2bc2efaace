import { createRequire } from 'node:module';
import { RatchetError } from '../../domain/errors.ts';
import type { Parameters } from '../binance/sign.ts';
import { venueSymbolOf } from '../binance/symbols.ts';

/** The part of a ccxt exchange that is used here. Its own types want a `number` where it takes text as well. */
export type CcxtExchange = {
  readonly urls: { api: Record<string, unknown> };
  readonly markets?: Readonly<Record<string, object>>;
  setMarkets(markets: readonly object[]): unknown;
  fetch: (url: string, method?: string, headers?: Record<string, string>, body?: string) => Promise<unknown>;
  request(path: string, api: 'public' | 'private', method: string, parameters: Parameters): Promise<unknown>;
  createOrder(
    symbol: string,
    type: 'market' | 'limit',
    side: string,
    amount: string,
    price: string | undefined,
    parameters: Parameters,
  ): Promise<unknown>;
  cancelOrder(id: string | undefined, symbol: string, parameters: Parameters): Promise<unknown>;
  fetchOrder(id: string | undefined, symbol: string, parameters: Parameters): Promise<unknown>;
};

type Ccxt = { readonly binance: new (settings: object) => CcxtExchange };

const ownRequire: (name: string) => unknown = createRequire(import.meta.url);

type ExchangeOptions = { readonly restUrl: string; readonly apiKey: string; readonly apiSecret: string };

/**
 * A ccxt exchange that signs and addresses requests and does nothing else: it waits for no limiter of its own and tries
 * nothing again.
 *
 * @throws RatchetError VENUE_ADAPTER_MISSING where ccxt is not installed.
 */
export function openExchange({ restUrl, apiKey, apiSecret }: ExchangeOptions, require = ownRequire): CcxtExchange {
  const exchange = new (loadCcxt(require).binance)({
    apiKey,
    // It tells an Ed25519 key from an RSA one by the length of its text, blanks included.
    secret: apiSecret.trim(),
    enableRateLimit: false,
    options: { defaultType: 'spot', maxRetriesOnFailure: 0, fetchMargins: false, fetchCurrencies: false },
  });
  // Wherever it thinks that an exchange is, it reaches the one that is configured.
  exchange.urls.api = redirected(exchange.urls.api, restUrl);
  return exchange;
}

/**
 * Tells the exchange of a market, for it signs no order for one that it does not know. It would ask the venue for all of
 * them, and an exit must not wait for that answer. Amounts and prices are at the venue's steps already; with the finest
 * precision of the dialect they stay the text that they are.
 */
export function makeKnown(exchange: CcxtExchange, symbol: string): void {
  if (exchange.markets?.[symbol] !== undefined) return;
  const id = venueSymbolOf(symbol);
  const [base, quote] = symbol.split('/');
  const finest = { amount: '0.00000001', price: '0.00000001' };
  const names = { id, lowercaseId: id.toLowerCase(), symbol, base, quote, baseId: base, quoteId: quote };
  const info = { symbol: id, orderTypes: ['LIMIT', 'MARKET', 'STOP_LOSS_LIMIT'] };
  const market = { ...names, type: 'spot', spot: true, active: true, precision: finest, info };
  exchange.setMarkets([...Object.values(exchange.markets ?? {}), market]);
}

/** 58 megabytes that most stacks do not need, so they are neither required nor loaded before they are asked for. */
function loadCcxt(require: (name: string) => unknown): Ccxt {
  try {
    return require('ccxt') as Ccxt;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new RatchetError('VENUE_ADAPTER_MISSING', { adapter: 'ccxt', install: 'npm install ccxt@4.5.84' });
  }
}

function redirected(addresses: Readonly<Record<string, unknown>>, restUrl: string): Record<string, unknown> {
  const entries = Object.entries(addresses).map(([name, address]) => [
    name,
    typeof address === 'string' ? restUrl + new URL(address).pathname : address,
  ]);
  return Object.fromEntries(entries);
}
