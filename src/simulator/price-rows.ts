import {
  compare,
  type Decimal,
  decimal,
  divide,
  isDecimal,
  isLess,
  isMore,
  isPositive,
  larger,
  roundToStep,
} from '../domain/decimal.ts';
import type { MarketTrade } from './market.ts';

/** One trade of a source, at the source's own time. */
export type PriceRow = MarketTrade & { readonly atMs: number };

/** What one line gives: trades, or why it gives none. */
export type ParsedLine = { readonly rows: readonly PriceRow[] } | { readonly fault: string };

/** Reads lines in their order: a line that is older than the one before is a fault, too. */
export type LineParser = (line: string) => ParsedLine;

/** Volumes of candles count the base asset or the quote asset. */
export type VolumeUnit = 'base' | 'quote';

export const tradesHeader = 'timestamp_ms,trade_id,side,price,quantity';
export const candlesHeader = 'timestamp,open,high,low,close,volume';

const tradesPerCandle = 4;
const fault = (text: string): ParsedLine => ({ fault: text });

/** `timestamp_ms,trade_id,side,price,quantity`. Trades of one millisecond keep their order. */
export function tradeParser(): LineParser {
  let lastMs = 0;
  return (line) => {
    const fields = line.split(',');
    const [time = '', , side = '', price = '', quantity = ''] = fields;
    if (fields.length !== 5) return fault(`it has ${fields.length} columns, not 5`);
    if (!/^\d{1,15}$/.test(time)) return fault('its time is not in milliseconds');
    if (side !== 'buy' && side !== 'sell') return fault('its side is neither buy nor sell');
    const trade = { price: positive(price), quantity: positive(quantity) };
    if (trade.price === null || trade.quantity === null) return fault('its price or quantity is no number above zero');
    const atMs = Number(time);
    if (atMs < lastMs) return fault('it is older than the line before');
    lastMs = atMs;
    return {
      rows: [{ atMs, price: trade.price, quantity: trade.quantity, aggressor: side === 'buy' ? 'BUY' : 'SELL' }],
    };
  };
}

/**
 * `timestamp,open,high,low,close,volume`, times in UTC. A candle does not say in which order its prices came: they are
 * played as open, low, high, close, the worse one for a buyer first, with a quarter of the volume each.
 */
export function candleParser(options: {
  readonly intervalMs: number;
  readonly stepSize: Decimal;
  readonly volumeUnit: VolumeUnit;
}): LineParser {
  let lastMs = 0;
  return (line) => {
    const candle = readCandle(line);
    if (typeof candle === 'string') return fault(candle);
    if (candle.atMs <= lastMs) return fault('it is not newer than the line before');
    lastMs = candle.atMs;
    const { open, low, high, close } = candle;
    const spacingMs = options.intervalMs / tradesPerCandle;
    return {
      rows: [open, low, high, close].map((price, index) => ({
        atMs: candle.atMs + index * spacingMs,
        price,
        quantity: quarterOf(candle, options),
        aggressor: null,
      })),
    };
  };
}

export type Candle = {
  readonly atMs: number;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  readonly volume: Decimal;
};

/** One candle, or why the line is none. */
export function readCandle(line: string): Candle | string {
  const fields = line.split(',');
  if (fields.length !== 6) return `it has ${fields.length} columns, not 6`;
  const [time = '', ...numbers] = fields;
  const atMs = utcMs(time);
  if (atMs === null) return 'its time is not of the form YYYY-MM-DD HH:MM:SS';
  const [open, high, low, close] = numbers.map(positive);
  const volume = numbers[4] ?? '';
  if (!(open && high && low && close)) return 'a price is no number above zero';
  if (!isDecimal(volume) || compare(decimal(volume), decimal('0')) < 0) return 'its volume is no number from zero';
  if (isLess(high, low) || [open, close].some((price) => isMore(price, high) || isLess(price, low))) {
    return 'its prices are not within its high and low';
  }
  return { atMs, open, high, low, close, volume: decimal(volume) };
}

function quarterOf(
  { volume, close }: Candle,
  { stepSize, volumeUnit }: { readonly stepSize: Decimal; readonly volumeUnit: VolumeUnit },
): Decimal {
  const quarter = divide(volume, decimal(String(tradesPerCandle)));
  const base = volumeUnit === 'quote' ? divide(quarter, close) : quarter;
  // A candle without volume still has prices, and a trade without quantity does not exist.
  return larger(stepSize, roundToStep(base, stepSize, 'floor'));
}

function positive(text: string): Decimal | null {
  if (!isDecimal(text)) return null;
  const value = decimal(text);
  return isPositive(value) ? value : null;
}

function utcMs(text: string): number | null {
  const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?)(?:Z|\+00:00)?$/.exec(text);
  const atMs = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN;
  return Number.isFinite(atMs) ? Math.floor(atMs) : null;
}
