import type { Side } from '../domain/order.ts';
import type { FeeRules } from './exchange/fees.ts';
import type { Market } from './exchange/market.ts';
import type { VolumeUnit } from './prices/price-rows.ts';
import type { Keys } from './rest/authentication.ts';
import type { Limits } from './rest/rate-limits.ts';
import type { SocketRules } from './streams/socket.ts';

/** A symbol for a venue without prices of its own: they move by `tick` alone. Decimals as text. */
export type ManualMarket = {
  /** `BASE/QUOTE`. */
  readonly symbol: string;
  /** The first trade; without it the book is empty. */
  readonly price?: string;
  /** Standard: 0.01. */
  readonly tickSize?: string;
  /** Standard: 0.00001. */
  readonly stepSize?: string;
  /** The usual size of a trade, 1 as standard; each price of the book shows fifty times that. */
  readonly tradeQuantity?: string;
  readonly rules?: Partial<Market>;
};

/** Where the prices come from: a CSV of trades or candles, our own generator, or the caller's ticks alone. */
export type PriceOptions =
  | {
      readonly replay: 'file';
      readonly path: string;
      /** `BASE/QUOTE`; read from the file's name when it is not given. */
      readonly symbol?: string;
      readonly volumeUnit?: VolumeUnit;
    }
  | {
      readonly replay: 'generator';
      /** `BASE/QUOTE`, each with prices of its own. Standard: BTC/USDT. */
      readonly symbols?: readonly string[];
    }
  | { readonly replay: 'manual'; readonly markets?: readonly ManualMarket[] };

export type SimulatorOptions = PriceOptions & {
  /** Where ledger and tape are kept. Without it, everything ends with the process. */
  readonly dataFolder?: string;
  /** How many times faster than the source's own pace. Standard: 1. */
  readonly speed?: number;
  /** What the account begins with of each quote asset. Standard: 100,000; 2 BTC, 50 ETH or 200 BNB. */
  readonly deposit?: string;
  /** Deposits by asset, instead. */
  readonly deposits?: Readonly<Record<string, string>>;
  readonly host?: string;
  /** 0, the standard, takes a free port. */
  readonly port?: number;
  /** The control port is on loopback alone, whatever the host. */
  readonly controlPort?: number;
  readonly keys?: Keys;
  readonly fees?: Partial<FeeRules>;
  readonly limits?: Partial<Limits>;
  readonly sockets?: Partial<SocketRules>;
  /** Of everything that is thrown by dice: generated prices and faults with a probability. */
  readonly seed?: number;
  /** A clock that stands still until it is moved; begins here. */
  readonly virtualClockAtMs?: number;
};

/** One trade of the market, by a test or through the control port. Decimals as text. */
export type Tick = {
  readonly price: string;
  /** Standard: the usual size of a trade. */
  readonly quantity?: string;
  /** `BASE/QUOTE` or `BASEQUOTE`; may be left out where there is only one. */
  readonly symbol?: string;
  readonly aggressor?: Side;
};
