import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import {
  compare,
  type Decimal,
  decimal,
  decimalPlaces,
  divide,
  isMore,
  multiply,
  powerOfTen,
} from '../domain/decimal.ts';
import { RatchetError } from '../domain/errors.ts';
import { linesOf } from './csv.ts';
import { assetsOf, notionalMinOf } from './market-rules.ts';
import {
  candleParser,
  candlesHeader,
  type LineParser,
  type PriceRow,
  readCandle,
  tradeParser,
  tradesHeader,
  type VolumeUnit,
} from './price-rows.ts';
import type { BadLine, PriceSource } from './price-source.ts';

export type PriceFileOptions = {
  readonly path: string;
  /** `BASE/QUOTE`; read from the name of the file when it is not given. */
  readonly symbol?: string;
  /** Of candles. Perpetuals are commonly counted in quote units, everything else in base. */
  readonly volumeUnit?: VolumeUnit;
};

type Kind = 'trades' | 'candles';

const badLinesNamed = 20;
const sampleMax = 10_000;
const assetPlacesMax = 8;

/**
 * Opens a CSV of trades or candles and reads it through once, for its rules and its faults.
 *
 * @throws RatchetError PAPER_PRICES_UNREADABLE, PAPER_PRICES_INVALID
 */
export function openPriceFile(options: PriceFileOptions): PriceSource {
  const { path } = options;
  const symbol = options.symbol ?? symbolOf(path);
  const assets = symbol === null ? null : assetsOf(symbol);
  if (symbol === null || assets === null) {
    throw new RatchetError('PAPER_PRICES_INVALID', {
      file: path,
      problem: 'its name says no symbol',
      option: '--symbol',
    });
  }
  const volumeUnit = options.volumeUnit ?? (isPerpetual(path) ? 'quote' : 'base');
  const kind = reading(path, () => kindOf(path));
  const survey = reading(path, () => surveyOf(path, kind, volumeUnit, assets[1]));
  if (survey.rowCount === 0) throw invalid(path, 'none of its lines holds a price');
  const { tickSize, stepSize, tradeQuantity } = survey;
  return {
    name: basename(path),
    fingerprint: createHash('sha256').update(`${symbol} ${kind} ${volumeUnit} ${survey.contentHash}`).digest('hex'),
    saysSides: kind === 'trades',
    traits: { symbol, tickSize, stepSize, tradeQuantity },
    badLines: { count: survey.badCount, first: survey.badLines },
    rows: (from) => rowsOf(path, survey.parser(), from),
  };
}

const invalid = (file: string, problem: string): RatchetError =>
  new RatchetError('PAPER_PRICES_INVALID', { file, problem });

function reading<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RatchetError) throw error;
    const problem = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new RatchetError('PAPER_PRICES_UNREADABLE', { file, problem }, { cause: error });
  }
}

/** `eth-usdt-trades-….csv` is ETH/USDT; a perpetual, `btc-perp-….csv`, is quoted in USDT. */
function symbolOf(path: string): string | null {
  const match = /^([a-z0-9]+)-([a-z0-9]+)-/i.exec(basename(path));
  if (!match?.[1] || !match[2]) return null;
  const quote = isPerpetual(path) ? 'USDT' : match[2];
  return `${match[1]}/${quote}`.toUpperCase();
}

const isPerpetual = (path: string): boolean => /^[a-z0-9]+-(perp|swap|futures)-/i.test(basename(path));

function kindOf(path: string): Kind {
  const [first = ''] = linesOf(path);
  const header = first
    .replace(/^\uFEFF/, '')
    .trim()
    .toLowerCase();
  if (header === tradesHeader) return 'trades';
  if (header === candlesHeader) return 'candles';
  throw invalid(path, header === '' ? 'it is empty' : `its first line is ${JSON.stringify(first.slice(0, 80))}`);
}

type Survey = {
  readonly contentHash: string;
  readonly rowCount: number;
  readonly badCount: number;
  readonly badLines: readonly BadLine[];
  readonly tickSize: Decimal;
  readonly stepSize: Decimal;
  readonly tradeQuantity: Decimal;
  parser(): LineParser;
};

function surveyOf(path: string, kind: Kind, volumeUnit: VolumeUnit, quoteAsset: string): Survey {
  const { parser, stepSize } = kind === 'trades' ? tradeReading(path) : candleReading(path, volumeUnit, quoteAsset);
  const parse = parser();
  const hash = createHash('sha256');
  const badLines: BadLine[] = [];
  const sample: Decimal[] = [];
  let [rowCount, badCount, places, line] = [0, 0, 0, 0];
  for (const text of linesOf(path)) {
    line += 1;
    hash.update(text).update('\n');
    if (line === 1 || text === '') continue;
    const parsed = parse(text);
    if ('fault' in parsed) {
      badCount += 1;
      if (badLines.length < badLinesNamed) badLines.push({ line, fault: parsed.fault });
      continue;
    }
    rowCount += parsed.rows.length;
    for (const { price, quantity } of parsed.rows) {
      places = Math.max(places, decimalPlaces(price));
      if (sample.length < sampleMax) sample.push(quantity);
    }
  }
  return {
    contentHash: hash.digest('hex'),
    rowCount,
    badCount,
    badLines,
    tickSize: powerOfTen(-Math.min(places, assetPlacesMax)),
    stepSize,
    tradeQuantity: medianOf(sample),
    parser,
  };
}

type Reading = { readonly stepSize: Decimal; parser(): LineParser };

function tradeReading(path: string): Reading {
  const parse = tradeParser();
  let places = 0;
  for (const text of linesOf(path)) {
    const parsed = parse(text);
    if ('rows' in parsed) for (const { quantity } of parsed.rows) places = Math.max(places, decimalPlaces(quantity));
  }
  return { stepSize: powerOfTen(-Math.min(places, assetPlacesMax)), parser: tradeParser };
}

/** The interval is the smallest distance between two candles; the step comes from the volumes, or from the price. */
function candleReading(path: string, volumeUnit: VolumeUnit, quoteAsset: string): Reading {
  let intervalMs = Number.POSITIVE_INFINITY;
  let [lastMs, places] = [Number.NEGATIVE_INFINITY, 0];
  let highest: Decimal | null = null;
  for (const text of linesOf(path)) {
    const candle = readCandle(text);
    if (typeof candle === 'string' || candle.atMs <= lastMs) continue;
    intervalMs = Math.min(intervalMs, candle.atMs - lastMs);
    lastMs = candle.atMs;
    places = Math.max(places, decimalPlaces(candle.volume));
    if (highest === null || isMore(candle.high, highest)) highest = candle.high;
  }
  const inBase = powerOfTen(-Math.min(places, assetPlacesMax));
  const stepSize = volumeUnit === 'base' || highest === null ? inBase : stepFor(highest, quoteAsset);
  const spacing = Number.isFinite(intervalMs) ? intervalMs : 60_000;
  return { stepSize, parser: () => candleParser({ intervalMs: spacing, stepSize, volumeUnit }) };
}

/** The largest power of ten, one at most, that is worth no more than a tenth of the smallest order. */
function stepFor(price: Decimal, quoteAsset: string): Decimal {
  const worthMax = divide(notionalMinOf(quoteAsset), decimal('10'));
  let places = 0;
  while (places < assetPlacesMax && isMore(multiply(powerOfTen(-places), price), worthMax)) places += 1;
  return powerOfTen(-places);
}

const medianOf = (sample: readonly Decimal[]): Decimal =>
  sample.toSorted(compare)[Math.floor(sample.length / 2)] ?? decimal('1');

function* rowsOf(path: string, parse: LineParser, from: number): Generator<PriceRow> {
  let row = 0;
  let isHeader = true;
  for (const text of linesOf(path)) {
    const parsed = isHeader || text === '' ? null : parse(text);
    isHeader = false;
    if (!parsed || 'fault' in parsed) continue;
    for (const each of parsed.rows) {
      if (row >= from) yield each;
      row += 1;
    }
  }
}
