import {
  type Decimal,
  decimal,
  divide,
  isDecimal,
  isLess,
  isMore,
  larger,
  multiply,
  roundToStep,
} from '../../domain/decimal.ts';
import type { Side } from '../../domain/order.ts';
import type { MarketTrade } from '../exchange/market.ts';

/** One trade of a source, at the source's own time. */
export type PriceRow = MarketTrade & { readonly atMs: number };

/** A line of a file: one trade, or a candle with its prices in the order in which they are played. */
export type PriceLine = {
  readonly atMs: number;
  readonly prices: readonly Decimal[];
  /** Of a candle: its volume, in whatever unit the file counts. */
  readonly quantity: Decimal;
  readonly aggressor: Side | null;
};

/** Reads one line, or says why it cannot be played. */
export type LineReader = (line: string) => PriceLine | string;

/** Volumes of candles count the base asset or the quote asset. */
export type VolumeUnit = 'base' | 'quote';

export const tradesHeader = 'timestamp_ms,trade_id,side,price,quantity';
export const candlesHeader = 'timestamp,open,high,low,close,volume';

const quarter = decimal('0.25');
const tradesPerCandle = 4;

/** `timestamp_ms,trade_id,side,price,quantity`. */
export const readTrade: LineReader = (line) => {
  const fields = line.split(',');
  const [time = '', , side, price = '', quantity = ''] = fields;
  if (fields.length !== 5) return `it has ${fields.length} columns, not 5`;
  if (!/^\d{1,15}$/.test(time)) return 'its time is not in milliseconds';
  if (side !== 'buy' && side !== 'sell') return 'its side is neither buy nor sell';
  if (!isPositiveText(price) || !isPositiveText(quantity)) return 'its price or quantity is no number above zero';
  return {
    atMs: Number(time),
    prices: [decimal(price)],
    quantity: decimal(quantity),
    aggressor: side === 'buy' ? 'BUY' : 'SELL',
  };
};

/**
 * `timestamp,open,high,low,close,volume`, times in UTC. A candle does not say in which order its prices came: open, low,
 * high, close has the worse one for a buyer first.
 */
export const readCandle: LineReader = (line) => {
  const fields = line.split(',');
  if (fields.length !== 6) return `it has ${fields.length} columns, not 6`;
  const [time = '', open = '', high = '', low = '', close = '', volume = ''] = fields;
  const atMs = utcMs(time);
  if (atMs === null) return 'its time is not of the form YYYY-MM-DD HH:MM:SS';
  const texts = [open, low, high, close];
  if (!texts.every(isPositiveText)) return 'a price is no number above zero';
  if (!isDecimal(volume) || volume.startsWith('-')) return 'its volume is no number from zero';
  const prices = texts.map(decimal);
  if (!isWithinItself(prices)) return 'its prices are not within its high and low';
  return { atMs, prices, quantity: decimal(volume), aggressor: null };
};

/** Readers look at one line; order is between lines. Trades may share a millisecond, candles have their own. */
export function inOrder(read: LineReader, mayShareTime: boolean): LineReader {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (text) => {
    const line = read(text);
    if (typeof line === 'string') return line;
    if (line.atMs < lastMs) return 'it is older than the line before';
    if (line.atMs === lastMs && !mayShareTime) return 'it has the time of the line before';
    lastMs = line.atMs;
    return line;
  };
}

/** The trades that a line stands for: a candle's are spread over its interval, with a quarter of the volume each. */
export function rowsOfLine(
  { atMs, prices, quantity, aggressor }: PriceLine,
  candle: { readonly intervalMs: number; readonly stepSize: Decimal; readonly volumeUnit: VolumeUnit },
): readonly PriceRow[] {
  const [only] = prices;
  if (only !== undefined && prices.length === 1) return [{ atMs, price: only, quantity, aggressor }];
  const each = quarterOf(quantity, prices, candle);
  const spacingMs = candle.intervalMs / tradesPerCandle;
  return prices.map((price, index) => ({ atMs: atMs + index * spacingMs, price, quantity: each, aggressor }));
}

function quarterOf(
  volume: Decimal,
  prices: readonly Decimal[],
  { stepSize, volumeUnit }: { readonly stepSize: Decimal; readonly volumeUnit: VolumeUnit },
): Decimal {
  const share = multiply(volume, quarter);
  const close = prices.at(-1);
  const base = volumeUnit === 'quote' && close !== undefined ? divide(share, close) : share;
  // A candle without volume still has prices, and a trade without quantity does not exist.
  return larger(stepSize, roundToStep(base, stepSize, 'floor'));
}

function isWithinItself(prices: readonly Decimal[]): boolean {
  const [, low, high] = prices;
  if (low === undefined || high === undefined) return false;
  return prices.every((price) => !isLess(price, low) && !isMore(price, high));
}

// By its digits alone: files have millions of numbers.
const isPositiveText = (text: string): boolean => /^\d+(\.\d+)?$/.test(text) && /[1-9]/.test(text);

function utcMs(text: string): number | null {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?)(?:Z|\+00:00)?$/.exec(text);
  const atMs = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN;
  return Number.isFinite(atMs) ? Math.floor(atMs) : null;
}
