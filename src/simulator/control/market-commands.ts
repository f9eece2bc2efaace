import { decimal, isDecimal, isPositive } from '../../domain/decimal.ts';
import type { Venue } from '../exchange/exchange.ts';
import { type Market, pairOf } from '../exchange/market.ts';
import type { Tick } from '../options.ts';
import { type Body, type Command, durationOf, type Outcome, ok, wrong } from './command.ts';
import type { Stage } from './stage.ts';
import { changeMarket } from './troubles.ts';

/** Prices, time and the rules of the symbols. */
export const marketCommands: Readonly<Record<string, Command>> = {
  'POST /__sim/tick': tick,
  'POST /__sim/clock': moveClock,
  'POST /__sim/replay': steerReplay,
  'POST /__sim/symbol': changeSymbol,
  'POST /__sim/thinBook': thinBook,
};

/** One tick, `{ticks: [...]}`, or `{raw: "…"}`: text for the market streams as it is. */
function tick({ core, streams }: Stage, body: Body): Outcome {
  if (typeof body['raw'] === 'string') {
    streams.sendRaw(body['raw']);
    return ok();
  }
  const ticks: readonly unknown[] = Array.isArray(body['ticks']) ? body['ticks'] : [body];
  const venues = [...core.exchange.venues.values()];
  const known = new Set(venues.flatMap(({ market }) => [market.symbol, pairOf(market)]));
  if (!ticks.every((each): each is Tick => isTick(each, known))) {
    return wrong(
      'a tick is {price, quantity?, symbol?, aggressor?}, decimals as text above zero, of a symbol of this venue',
    );
  }
  for (const each of ticks) core.tick(each);
  return ok({ ticks: ticks.length });
}

function isTick(value: unknown, symbols: ReadonlySet<string>): value is Tick {
  if (typeof value !== 'object' || value === null) return false;
  const { price, quantity, symbol, aggressor } = value as { [key in keyof Tick]?: unknown };
  if (!isPrice(price) || (quantity !== undefined && !isPrice(quantity))) return false;
  if (symbol !== undefined && !(typeof symbol === 'string' && symbols.has(symbol))) return false;
  return aggressor === undefined || aggressor === 'BUY' || aggressor === 'SELL';
}

const isPrice = (value: unknown): boolean => isDecimal(value) && isPositive(decimal(value));

/** `{setAtMs}` or `{advanceMs}` moves a virtual clock; `{skewMs}` makes a wall clock wrong by so much more. */
function moveClock({ core: { clock } }: Stage, { setAtMs, advanceMs, skewMs }: Body): Outcome {
  if (typeof skewMs === 'number' && clock.kind === 'wall') clock.shift(skewMs);
  else if (clock.kind === 'wall') return wrong('the clock is real time: it can be skewed ({skewMs}), not moved');
  else if (typeof advanceMs === 'number' && advanceMs >= 0) clock.shift(advanceMs);
  else if (typeof setAtMs === 'number' && setAtMs >= clock.nowMs()) clock.shift(setAtMs - clock.nowMs());
  else return wrong('give advanceMs, or setAtMs that is not in the past');
  return ok({ nowMs: clock.nowMs() });
}

function steerReplay({ replay }: Stage, { action, speed }: Body): Outcome {
  if (!replay) return wrong('there are no prices to play: they move by /__sim/tick');
  if (speed !== undefined && !(typeof speed === 'number' && speed > 0)) return wrong('speed is a number above zero');
  if (action !== undefined && action !== 'pause' && action !== 'resume') return wrong('action is pause or resume');
  if (speed !== undefined) replay.setSpeed(speed);
  if (action === 'pause') replay.pause();
  if (action === 'resume') replay.resume();
  return ok(replay.state());
}

/** The venue of a symbol in either form; without one, the first. */
export function venueNamed({ core }: Stage, symbol: unknown): Venue | undefined {
  const { venues } = core.exchange;
  return symbol === undefined ? [...venues.values()][0] : venues.get(String(symbol).replace('/', ''));
}

const statuses: ReadonlySet<unknown> = new Set(['TRADING', 'END_OF_DAY', 'HALT', 'BREAK', 'CANCEL_ONLY']);
const assetNames: ReadonlySet<string> = new Set(['symbol', 'baseAsset', 'quoteAsset']);

/** `{symbol, rules}`: new trading rules, a new status, or another depth of the book, from now on. */
function changeSymbol(stage: Stage, { symbol, rules }: Body): Outcome {
  const venue = symbol === undefined ? undefined : venueNamed(stage, symbol);
  if (!venue || typeof rules !== 'object' || rules === null) return wrong('give symbol, of this venue, and rules');
  const wrongRule = Object.entries(rules).find(([name, value]) => !isRule(venue.market, name, value));
  if (wrongRule) return wrong(`rules.${wrongRule[0]} is unknown or of another type`);
  venue.market = { ...venue.market, ...rules };
  return ok({ market: venue.market });
}

function isRule(market: Market, name: string, value: unknown): boolean {
  if (assetNames.has(name) || !Object.hasOwn(market, name)) return false;
  if (name === 'status') return statuses.has(value);
  const before = market[name as keyof Market];
  return typeof before === 'number' ? Number.isInteger(value) : isDecimal(value) && decimal(value) === value;
}

/** `{symbol?, levels?, quantity?, ms?}`: so few prices a side, with so little at each; `{end: true}` gives the book back. */
function thinBook(stage: Stage, { symbol, levels = 1, quantity, ms, end }: Body): Outcome {
  const venue = venueNamed(stage, symbol);
  const forMs = durationOf(ms);
  if (end === true) {
    stage.troubles.end('thin-book');
    return ok({ market: venue?.market });
  }
  const isCount = typeof levels === 'number' && Number.isInteger(levels) && levels >= 0;
  if (!venue || !isCount || forMs === undefined || !(quantity === undefined || isPrice(quantity))) {
    return wrong(
      'thinBook is {symbol?, levels?, quantity?, ms?}: a whole number of prices, a decimal above zero as text',
    );
  }
  const levelQuantity = quantity === undefined ? venue.market.tradeQuantity : decimal(String(quantity));
  changeMarket(stage, 'thin-book', venue, { levelsMax: levels, levelQuantity }, forMs);
  return ok({ market: venue.market });
}
