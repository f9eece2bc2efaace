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
  zero,
} from '../../domain/decimal.ts';
import { RatchetError } from '../../domain/errors.ts';
import { assetsOf, notionalMinOf } from '../exchange/market-rules.ts';
import { linesOf } from './csv.ts';
import {
  candlesHeader,
  inOrder,
  type LineReader,
  type PriceLine,
  type PriceRow,
  readCandle,
  readTrade,
  rowsOfLine,
  tradesHeader,
  type VolumeUnit,
} from './price-rows.ts';
import type { BadLine, PriceSource } from './price-source.ts';

type PriceFileOptions = {
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
const standardIntervalMs = 60_000;

/**
 * Opens a CSV of trades or candles and reads it through once, for its rules and its faults.
 *
 * @throws RatchetError PAPER_PRICES_UNREADABLE, PAPER_PRICES_INVALID
 */
export function openPriceFile(options: PriceFileOptions): PriceSource {
  const { path } = options;
  const symbol = options.symbol ?? symbolOf(path);
  const assets = symbol === null ? null : assetsOf(symbol);
  if (symbol === null || assets === null) throw invalid(path, 'its name says no symbol; give --symbol BASE/QUOTE');
  const volumeUnit = options.volumeUnit ?? (isPerpetual(path) ? 'quote' : 'base');
  const kind = reading(path, () => kindOf(path));
  const survey = reading(path, () => surveyOf(path, kind));
  if (survey.lineCount === 0) throw invalid(path, 'none of its lines holds a price');
  const stepSize =
    kind === 'candles' && volumeUnit === 'quote'
      ? stepFor(survey.highest, assets[1])
      : powerOfTen(-Math.min(survey.quantityPlaces, assetPlacesMax));
  const candle = { intervalMs: survey.intervalMs, stepSize, volumeUnit };
  const quantities = survey.sample.map((line) => rowsOfLine(line, candle)[0]?.quantity ?? stepSize);
  return {
    name: basename(path),
    fingerprint: createHash('sha256').update(`${symbol} ${kind} ${volumeUnit} ${survey.contentHash}`).digest('hex'),
    saysSides: kind === 'trades',
    traits: {
      symbol,
      tickSize: powerOfTen(-Math.min(survey.pricePlaces, assetPlacesMax)),
      stepSize,
      tradeQuantity: medianOf(quantities),
    },
    badLines: { count: survey.badCount, first: survey.badLines },
    *rows(from) {
      yield* skip(
        from,
        rowsOf(path, kind, (line) => rowsOfLine(line, candle)),
      );
    },
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

const readerOf = (kind: Kind): LineReader =>
  kind === 'trades' ? inOrder(readTrade, true) : inOrder(readCandle, false);

type Survey = {
  contentHash: string;
  lineCount: number;
  badCount: number;
  readonly badLines: BadLine[];
  pricePlaces: number;
  quantityPlaces: number;
  highest: Decimal;
  /** The smallest distance between two lines. */
  intervalMs: number;
  /** The first lines, for the usual size of a trade. */
  readonly sample: PriceLine[];
};

const blankSurvey = (): Survey => ({
  contentHash: '',
  lineCount: 0,
  badCount: 0,
  badLines: [],
  pricePlaces: 0,
  quantityPlaces: 0,
  highest: zero,
  intervalMs: Number.POSITIVE_INFINITY,
  sample: [],
});

function surveyOf(path: string, kind: Kind): Survey {
  const survey = blankSurvey();
  const hash = createHash('sha256');
  const read = readerOf(kind);
  let [number, lastMs] = [0, Number.NEGATIVE_INFINITY];
  for (const text of linesOf(path)) {
    number += 1;
    hash.update(text).update('\n');
    if (number === 1 || text === '') continue;
    const line = read(text);
    if (typeof line === 'string') {
      survey.badCount += 1;
      if (survey.badLines.length < badLinesNamed) survey.badLines.push({ line: number, fault: line });
      continue;
    }
    note(survey, line);
    survey.intervalMs = Math.min(survey.intervalMs, line.atMs - lastMs);
    lastMs = line.atMs;
  }
  survey.contentHash = hash.digest('hex');
  if (!Number.isFinite(survey.intervalMs)) survey.intervalMs = standardIntervalMs;
  return survey;
}

function note(survey: Survey, line: PriceLine): void {
  survey.lineCount += 1;
  survey.pricePlaces = Math.max(survey.pricePlaces, ...line.prices.map(decimalPlaces));
  survey.quantityPlaces = Math.max(survey.quantityPlaces, decimalPlaces(line.quantity));
  if (survey.sample.length >= sampleMax) return;
  survey.sample.push(line);
  for (const price of line.prices) if (isMore(price, survey.highest)) survey.highest = price;
}

/** The largest power of ten, one at most, that is worth no more than a tenth of the smallest order. */
function stepFor(price: Decimal, quoteAsset: string): Decimal {
  const worthMax = divide(notionalMinOf(quoteAsset), decimal('10'));
  let places = 0;
  while (places < assetPlacesMax && isMore(multiply(powerOfTen(-places), price), worthMax)) places += 1;
  return powerOfTen(-places);
}

const medianOf = (quantities: readonly Decimal[]): Decimal =>
  quantities.toSorted(compare)[Math.floor(quantities.length / 2)] ?? decimal('1');

function* rowsOf(path: string, kind: Kind, play: (line: PriceLine) => readonly PriceRow[]): Generator<PriceRow> {
  const read = readerOf(kind);
  let isHeader = true;
  for (const text of linesOf(path)) {
    const line = isHeader || text === '' ? '' : read(text);
    isHeader = false;
    if (typeof line !== 'string') yield* play(line);
  }
}

function* skip<T>(count: number, rows: Iterable<T>): Generator<T> {
  let index = 0;
  for (const row of rows) {
    if (index >= count) yield row;
    index += 1;
  }
}
