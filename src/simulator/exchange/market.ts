import {
  add,
  type Decimal,
  decimal,
  isLess,
  isPositive,
  multiply,
  roundToStep,
  subtract,
  zero,
} from '../../domain/decimal.ts';
import type { Side } from '../../domain/order.ts';

/** Binance's symbol status; only TRADING accepts orders, CANCEL_ONLY accepts cancels. */
type SymbolStatus = 'TRADING' | 'END_OF_DAY' | 'HALT' | 'BREAK' | 'CANCEL_ONLY';

/** A symbol with its trading rules and the depth of its synthetic book. Quantities in base, notional in quote. */
export type Market = {
  /** As the dialect writes it: `BTCUSDT`. */
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly status: SymbolStatus;
  readonly tickSize: Decimal;
  readonly stepSize: Decimal;
  readonly priceMin: Decimal;
  readonly priceMax: Decimal;
  readonly quantityMin: Decimal;
  readonly quantityMax: Decimal;
  readonly marketQuantityMax: Decimal;
  readonly notionalMin: Decimal;
  readonly ordersMax: number;
  /** Of stop orders that wait. */
  readonly stopOrdersMax: number;
  /** The usual size of one trade. */
  readonly tradeQuantity: Decimal;
  /** How much stands at each price of the synthetic book, and how many prices there are on each side. */
  readonly levelQuantity: Decimal;
  readonly levelsMax: number;
};

/** The symbol as people write it: `BTC/USDT`. */
export const pairOf = ({ baseAsset, quoteAsset }: Market): string => `${baseAsset}/${quoteAsset}`;

/** The best prices and the last one. A bid of zero = nobody buys. */
export type Quotes = { readonly bid: Decimal; readonly ask: Decimal; readonly last: Decimal };

/** One trade of the market, before the venue gives it an id and a time. `aggressor` null = the source does not say. */
export type MarketTrade = { readonly price: Decimal; readonly quantity: Decimal; readonly aggressor: Side | null };

/**
 * The quotes after a trade. A buyer takes the ask and a seller the bid, so a known aggressor sets one side and leaves
 * the other where it was, pushed away when the two would touch. An unknown one sets both, a tick apart.
 */
export function quotesAfter(quotes: Quotes | null, trade: MarketTrade, tickSize: Decimal): Quotes {
  const { price } = trade;
  const aggressor = aggressorOf(quotes, trade);
  const keepsOther = trade.aggressor !== null && quotes !== null;
  if (aggressor === 'BUY') {
    const ask = roundToStep(price, tickSize, 'ceiling');
    const below = floorAtZero(subtract(ask, tickSize));
    return { last: price, ask, bid: keepsOther && isLess(quotes.bid, below) ? quotes.bid : below };
  }
  const bid = roundToStep(price, tickSize, 'floor');
  const above = add(bid, tickSize);
  return { last: price, bid, ask: keepsOther && isLess(above, quotes.ask) ? quotes.ask : above };
}

/** Who took: as the source says, else by the tick rule (a price that did not fall was bought). */
export function aggressorOf(quotes: Quotes | null, trade: MarketTrade): Side {
  if (trade.aggressor) return trade.aggressor;
  return quotes && isLess(trade.price, quotes.last) ? 'SELL' : 'BUY';
}

/** The price of the book's level `depth` (0 = best) that a taker of `side` meets. May be zero or less: then there is none. */
export function levelPrice(quotes: Quotes, side: Side, depth: number, tickSize: Decimal): Decimal {
  const away = multiply(tickSize, decimal(String(depth)));
  return side === 'BUY' ? add(quotes.ask, away) : subtract(quotes.bid, away);
}

const floorAtZero = (value: Decimal): Decimal => (isPositive(value) ? value : zero);
