import type { Decimal } from '../../domain/decimal.ts';
import type { Side, TimeInForce } from '../../domain/order.ts';
import type { ProtectionTerms } from '../../domain/protective-stop.ts';

/** What a bot sends to open a trade: the public contract, the same over HTTP, by client and as a bare workflow's input. */
export type EntryRequest = {
  /** The caller's own id for the trade's whole life. The same id again opens nothing new. */
  readonly tradeId: string;
  readonly account: string;
  readonly strategy: string;
  readonly venue: string;
  /** Of several, all are entered or none: each is placed once the one before is filled. */
  readonly legs: readonly Leg[];
  readonly entry: EntryTerms;
  readonly exit: ExitTerms;
  readonly requestedAtMs: number;
  /** Past `requestedAtMs + validForMs` the request is denied: an entry that can't be decided soon is stale. */
  readonly validForMs: number;
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
};

export type Leg = {
  /** `BASE/QUOTE`. */
  readonly symbol: string;
  readonly side: Side;
  /** In the base asset. */
  readonly quantity: Decimal;
  /** Delta of one unit; 1 for spot. */
  readonly unitDelta: Decimal;
  /** The limit price of a leg after the first; the first leg's is the entry's own. */
  readonly price?: Decimal;
};

export type EntryTerms =
  | { readonly type: 'MARKET'; readonly maxSlippageBps?: number }
  | {
      readonly type: 'LIMIT';
      /** Of the first leg. */
      readonly price: Decimal;
      readonly timeInForce: TimeInForce;
      /** A working rest is canceled this long after the order was sent. */
      readonly expireAfterMs?: number;
      readonly maxSlippageBps?: number;
    };

/** At least one of them, so that no position is without an end. Prices are those of the first leg; all legs close. */
export type ExitTerms = {
  readonly stopLoss?: { readonly price: Decimal };
  readonly takeProfit?: { readonly price: Decimal };
  /** From the first fill. */
  readonly timeStopMs?: number;
  readonly trailingStop?: TrailingTerms;
  /** The stop is held at the venue as well, for as long as nobody here is there to watch. Ends nothing by itself. */
  readonly protectiveStop?: ProtectiveStopTerms;
};

/** Basis points are of the stop's price. */
export type ProtectiveStopTerms = ProtectionTerms & { readonly at: 'venue' };

export type TrailingTerms = {
  readonly by: 'percent' | 'absolute' | 'ticks';
  /** Percent of the extreme, an amount in the quote asset, or whole ticks. */
  readonly distance: Decimal;
  /** Trails from here on; at once when absent. */
  readonly activation?: { readonly price: Decimal } | { readonly profitPercent: Decimal };
  readonly trigger: 'last';
};
