import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Decimal, decimal, zero } from '../domain/decimal.ts';
import { RatchetError } from '../domain/errors.ts';
import { type SimulatorClock, virtualClock, wallClock } from './clock.ts';
import { type Conditions, goodConditions } from './conditions.ts';
import { createExchange, type Exchange } from './exchange/exchange.ts';
import { type FeeRules, standardThird } from './exchange/fees.ts';
import type { Execution } from './exchange/journal.ts';
import { type Ledger, openLedger } from './exchange/ledger.ts';
import type { Market } from './exchange/market.ts';
import { assetsOf, type MarketTraits, marketOf } from './exchange/market-rules.ts';
import { fileTape, memoryTape, type Tape } from './exchange/tape.ts';
import { createFaults, type Faults } from './faults/faults.ts';
import { openVenue, type Prices } from './opening.ts';
import type { ManualMarket, SimulatorOptions, Tick } from './options.ts';
import { generatedPrices } from './prices/generator.ts';
import { openPriceFile } from './prices/price-file.ts';
import type { PriceSource } from './prices/price-source.ts';
import { type Replay, startReplay, together } from './prices/replay.ts';
import { createRateLimits, type RateLimits, standardLimits } from './rest/rate-limits.ts';
import { createRequestLog, type RequestLog } from './rest/request-log.ts';

/** The venue without its sockets. */
export type VenueCore = {
  readonly exchange: Exchange;
  readonly ledger: Ledger;
  readonly clock: SimulatorClock;
  readonly faults: Faults;
  readonly conditions: Conditions;
  readonly limits: RateLimits;
  readonly log: RequestLog;
  /** Lines of the file of prices that were skipped; null where there are no prices to play. */
  readonly badLines: PriceSource['badLines'] | null;
  /** Begins to play the prices, where there are any. */
  startPrices(): Replay | null;
  tick(tick: Tick): void;
  close(): void;
};

const standardFees: FeeRules = {
  makerBps: decimal('10'),
  takerBps: decimal('10'),
  rebateBps: zero,
  paidIn: 'received',
  third: standardThird,
};
const standardMarket: ManualMarket = { symbol: 'BTC/USDT', price: '46000' };
/** A small fund's worth in the coins that markets are quoted in; any other quote is taken for money. */
const standardDeposits: Readonly<Record<string, string>> = { BTC: '2', ETH: '50', BNB: '200' };
const standardDeposit = '100000';
const standardSeed = 1;

/**
 * Puts a venue together and opens its books.
 *
 * @throws RatchetError PAPER_PRICES_UNREADABLE, PAPER_PRICES_INVALID, PAPER_PRICES_CHANGED, PAPER_LEDGER_DAMAGED
 */
export function openCore(options: SimulatorOptions): VenueCore {
  const seed = options.seed ?? standardSeed;
  const sources = sourcesOf(options, seed);
  const manual = options.replay === 'manual' ? (options.markets ?? [standardMarket]) : [];
  const markets = [...sources.map(({ traits }) => marketOfTraits(traits)), ...manual.map(manualMarket)];
  const clock = options.virtualClockAtMs === undefined ? wallClock() : virtualClock(options.virtualClockAtMs);
  const folder = options.dataFolder;
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const ledger = openLedger(folder === undefined ? null : join(folder, 'ledger.jsonl'));
  const venues = markets.map((market) => ({ market, tape: openTape(folder, market) }));
  const exchange = createExchange({ markets: venues, ledger, clock, fees: { ...standardFees, ...options.fees } });
  const number = openVenue({
    exchange,
    ledger,
    clock,
    prices: pricesOf(sources, markets),
    deposits: depositsOf(options, markets),
  });
  const tick = createTick(exchange);
  for (const { symbol, price } of manual) {
    if (price !== undefined && exchange.venues.get(nameOf(symbol))?.quotes === null) tick({ symbol, price });
  }
  const limits = createRateLimits({ ...standardLimits, ...options.limits }, clock);
  exchange.onEvent((event) => {
    if (event.type === 'execution' && isFirstFill(event)) limits.orderFilled();
  });
  return {
    exchange,
    ledger,
    clock,
    badLines: sources[0]?.badLines ?? null,
    tick,
    faults: createFaults(seed, clock),
    limits,
    conditions: goodConditions(),
    log: createRequestLog(ledger),
    startPrices() {
      const replays = sources.map((source) => play(source, exchange, clock, number, options.speed ?? 1));
      return replays.length === 0 ? null : together(replays);
    },
    close() {
      clock.stop();
      for (const { tape } of venues) tape.close();
      ledger.close();
    },
  };
}

const isFirstFill = ({ fill, order }: Execution): boolean =>
  fill !== null && fill.quantity === order.filledQuantity && order.origin === 'api';

function sourcesOf(options: SimulatorOptions, seed: number): readonly PriceSource[] {
  switch (options.replay) {
    case 'file':
      return [openPriceFile(options)];
    case 'generator':
      // Each symbol walks by itself; the first one as if it were alone.
      return (options.symbols ?? [standardMarket.symbol]).map((symbol, index) =>
        generatedPrices({ seed: seed + index, symbol }),
      );
    case 'manual':
      return [];
  }
}

function play(source: PriceSource, exchange: Exchange, clock: SimulatorClock, market: number, speed: number): Replay {
  const symbol = nameOf(source.traits.symbol);
  const position = exchange.venue(symbol).tape.position;
  return startReplay({
    source,
    clock,
    speed,
    playedRows: position.market === market ? position.playedRows : 0,
    play: (row, playedRows) => exchange.trade(symbol, row, { market, playedRows }),
    onQuiet: () => exchange.announceQuotes(),
  });
}

const openTape = (folder: string | undefined, { symbol }: Market): Tape =>
  folder === undefined ? memoryTape() : fileTape(join(folder, `trades-${symbol}.csv`));

function pricesOf(sources: readonly PriceSource[], markets: readonly Market[]): Prices {
  const textOf = (part: (source: PriceSource) => string): string => sources.map(part).join(' + ');
  if (sources.length > 0) {
    return {
      fingerprint: textOf(({ fingerprint }) => fingerprint),
      name: textOf(({ name }) => name),
      saysSides: sources.every(({ saysSides }) => saysSides),
    };
  }
  const fingerprint = `manual ${markets.map(({ symbol }) => symbol).join(' ')}`;
  return { fingerprint, name: fingerprint, saysSides: false };
}

function depositsOf(options: SimulatorOptions, markets: readonly Market[]): Readonly<Record<string, Decimal>> {
  const { deposit, deposits } = options;
  const standard = (asset: string) => deposit ?? standardDeposits[asset] ?? standardDeposit;
  const given = deposits ?? Object.fromEntries(markets.map(({ quoteAsset }) => [quoteAsset, standard(quoteAsset)]));
  return Object.fromEntries(Object.entries(given).map(([asset, quantity]) => [asset, decimal(quantity)]));
}

function manualMarket({ symbol, tickSize, stepSize, tradeQuantity, rules }: ManualMarket): Market {
  const traits = {
    symbol,
    tickSize: decimal(tickSize ?? '0.01'),
    stepSize: decimal(stepSize ?? '0.00001'),
    tradeQuantity: decimal(tradeQuantity ?? '1'),
  };
  return { ...marketOfTraits(traits), ...rules };
}

function marketOfTraits(traits: MarketTraits): Market {
  const assets = assetsOf(traits.symbol);
  if (!assets) throw new RatchetError('CONFIG_INVALID', { symbol: traits.symbol, problem: 'it is not BASE/QUOTE' });
  return marketOf(traits, assets);
}

/** `BTC/USDT` as the dialect writes it. */
const nameOf = (symbol: string): string => symbol.replace('/', '');

function createTick(exchange: Exchange): (tick: Tick) => void {
  return ({ symbol, price, quantity, aggressor }) => {
    const { market } = exchange.venue(nameOf(symbol ?? [...exchange.venues.keys()][0] ?? ''));
    exchange.trade(market.symbol, {
      price: decimal(price),
      quantity: quantity === undefined ? market.tradeQuantity : decimal(quantity),
      aggressor: aggressor ?? null,
    });
  };
}
