import { type Decimal, decimal, divide, multiply, roundToStep, subtract } from '../../domain/decimal.ts';
import { type Stage, StageProblem } from '../control/stage.ts';
import { changeMarket, planFor } from '../control/troubles.ts';
import type { Venue } from '../exchange/exchange.ts';
import type { Quotes } from '../exchange/market.ts';
import type { FaultRule } from '../faults/faults.ts';
import { choice, lasting, type Scenario, symbolParameter, type Values, wholeNumber } from './scenario.ts';

const hundred = decimal('100');

export function venueOf({ core }: Stage, values: Values): Venue {
  const { venues } = core.exchange;
  const name = values.text('symbol').replace('/', '');
  const venue = name === '' ? [...venues.values()][0] : venues.get(name);
  if (!venue) throw new StageProblem(`symbol is one of ${[...venues.keys()].join(', ')}`);
  return venue;
}

export function quotesOf({ quotes, market }: Venue): Quotes {
  if (!quotes) throw new StageProblem(`${market.symbol} has not traded yet: there is no price to start from`);
  return quotes;
}

export const percentOf = (value: Decimal, percent: number): Decimal =>
  divide(multiply(value, decimal(String(percent))), hundred);

/** Prices, rules and depth of a symbol. */
export const marketScenarios: readonly Scenario[] = [
  {
    name: 'thin-book',
    does: 'Almost nobody trades: the book has one price a side, with one usual trade at it.',
    expect:
      'An order at the market gets little and ends EXPIRED; the position and its guards are as large as what was filled.',
    parameters: {
      symbol: symbolParameter,
      levels: wholeNumber('how many prices a side', 1, 0, 100),
      forMs: lasting(60_000),
    },
    run(stage, values) {
      const venue = venueOf(stage, values);
      const rules = { levelsMax: values.number('levels'), levelQuantity: venue.market.tradeQuantity };
      changeMarket(stage, this.name, venue, rules, values.number('forMs'));
    },
  },
  {
    name: 'symbol-halted',
    does: 'The symbol does not trade: new orders are refused with "Market is closed."',
    expect:
      'Entries are denied or rejected and their reservations freed; exits are tried again, with an alert, until it trades.',
    parameters: {
      symbol: symbolParameter,
      status: choice('the status', 'HALT', ['BREAK', 'CANCEL_ONLY', 'END_OF_DAY']),
      forMs: lasting(60_000),
    },
    run(stage, values) {
      const status = values.text('status') as 'HALT' | 'BREAK' | 'CANCEL_ONLY' | 'END_OF_DAY';
      changeMarket(stage, this.name, venueOf(stage, values), { status }, values.number('forMs'));
    },
  },
  {
    name: 'filters-changed',
    does: 'Price steps and quantity steps of the symbol become coarser, and the smallest order larger.',
    expect:
      'The first order by the old rules is rejected with -1013, the rules are read anew, and later orders fit them.',
    parameters: {
      symbol: symbolParameter,
      factor: wholeNumber('how many times', 10, 2, 1_000),
      forMs: lasting(300_000),
    },
    run(stage, values) {
      const venue = venueOf(stage, values);
      const factor = decimal(String(values.number('factor')));
      const { tickSize, stepSize, priceMin, quantityMin, notionalMin } = venue.market;
      const times = (value: Decimal): Decimal => multiply(value, factor);
      const rules = {
        tickSize: times(tickSize),
        priceMin: times(priceMin),
        stepSize: times(stepSize),
        quantityMin: times(quantityMin),
        notionalMin: times(notionalMin),
      };
      changeMarket(stage, this.name, venue, rules, values.number('forMs'));
    },
  },
  {
    name: 'flash-crash',
    does: 'The market trades far below the last price in one tick, and stands there for a moment.',
    expect:
      'Stops trigger on that trade once the list of trades has it, too; exits go to market and are sent again until all is sold.',
    parameters: {
      symbol: symbolParameter,
      percent: wholeNumber('how far', 20, 1, 99),
      holdMs: wholeNumber('how long the prices stand there, in ms', 5_000, 0, 600_000),
    },
    run(stage, values) {
      const { core, replay, troubles } = stage;
      const venue = venueOf(stage, values);
      const { last } = quotesOf(venue);
      const { market } = venue;
      const price = roundToStep(subtract(last, percentOf(last, values.number('percent'))), market.tickSize, 'ceiling');
      if (replay) {
        troubles.begin(this.name, values.number('holdMs'), () => {
          replay.pause();
          return () => replay.resume();
        });
      }
      core.tick({ symbol: market.symbol, price, aggressor: 'SELL' });
    },
  },
  {
    name: 'bad-ticks',
    does: 'Prices come over the stream that are none: no number, empty, zero, negative, ten times and a hundredth of the last.',
    expect:
      'No stop triggers on any of them; they are counted, the list of trades tells the true ones, and the next good price counts.',
    parameters: { symbol: symbolParameter, forMs: lasting(60_000) },
    run(stage, values) {
      const venue = venueOf(stage, values);
      const { last } = quotesOf(venue);
      const prices = ['NaN', '', '0', '-1', multiply(last, decimal('10')), divide(last, hundred, 8)];
      planFor(stage, this.name, lies(venue, prices, last), values.number('forMs'));
    },
  },
];

/** Each of the next trades is told with another price, on every connection alike, and the next quotes with a bid above the ask. */
const lies = ({ market: { symbol }, tape }: Venue, prices: readonly string[], last: Decimal): readonly FaultRule[] => [
  ...prices.map(
    (p, index): FaultRule => ({
      on: { match: { e: 'trade', s: symbol, t: String(tape.lastTradeId + 1 + index) } },
      phase: 'stream',
      do: { action: 'lie', fields: { p } },
    }),
  ),
  {
    on: { match: { s: symbol, u: '\\d+' }, nth: 1 },
    phase: 'stream',
    do: { action: 'lie', fields: { b: multiply(last, decimal('1.01')), a: last } },
  },
];
