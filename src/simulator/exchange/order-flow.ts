import { add, type Decimal, isMore, smaller } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import type { SimulatorClock } from '../clock.ts';
import { lockAsset, type OrderCommand, openOrdersOf, ownLevels, refusalOf } from './acceptance.ts';
import { type Books, leavesOf, type PaperOrder } from './books.ts';
import { type Ending, lockOf, matchIncoming, matchResting, type UnnumberedFill } from './engine.ts';
import { type FeeDesk, type FeeRules, openFeeDesk } from './fees.ts';
import type { Group } from './journal.ts';
import type { Fill, PreventedMatch } from './ledger.ts';
import { aggressorOf, type Market, type MarketTrade, type Quotes, quotesAfter } from './market.ts';
import type { Meeting } from './matching.ts';
import type { Refusal } from './refusal.ts';
import { isTriggeredAt } from './stop-orders.ts';
import { type Position, type Print, printOf, type Tape } from './tape.ts';

export type Placement =
  | { readonly outcome: 'accepted'; readonly order: PaperOrder; readonly fills: readonly Fill[] }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** One symbol of the venue. `quotes` is null until its first trade. */
export type Venue = { market: Market; quotes: Quotes | null; readonly tape: Tape };

/** What the exchange consists of; every step below works on it within one group of the journal. */
export type Floor = {
  readonly books: Books;
  readonly venues: ReadonlyMap<string, Venue>;
  readonly clock: SimulatorClock;
  fees: FeeRules;
  /** Accepted, but not yet matched: the market's trades must not fill them as if they rested. */
  readonly unmatched: Set<number>;
};

export function place(floor: Floor, group: Group, command: OrderCommand): Placement {
  const placement = accept(floor, group, command);
  if (placement.outcome === 'refused') return placement;
  const { orderId } = placement.order;
  const fills = match(floor, group, orderId);
  return { outcome: 'accepted', order: floor.books.order(orderId), fills };
}

export function accept(floor: Floor, group: Group, command: OrderCommand): Placement {
  const { books, fees, clock } = floor;
  const { market, quotes } = venueOf(floor, command.symbol);
  const refusal = refusalOf(command, { market, quotes, books, fees });
  if (refusal) return { outcome: 'refused', refusal };
  const orderId = books.orders.size + 1;
  const terms = { ...command, feeIn: fees.paidIn };
  group.record({
    ...terms,
    kind: 'order',
    orderId,
    clientOrderId: command.clientOrderId ?? `paper-${orderId}`,
    baseAsset: market.baseAsset,
    quoteAsset: market.quoteAsset,
    lock: { asset: lockAsset(command, market), quantity: lockOf(terms, market, quotes, fees) },
    acceptedAtMs: clock.nowMs(),
  });
  floor.unmatched.add(orderId);
  return { outcome: 'accepted', order: books.order(orderId), fills: [] };
}

export function match(floor: Floor, group: Group, orderId: number): readonly Fill[] {
  floor.unmatched.delete(orderId);
  // It may have been canceled while the venue was slow.
  if (!floor.books.openOrders.has(orderId)) return [];
  const order = floor.books.order(orderId);
  const venue = venueOf(floor, order.symbol);
  if (order.workingAtMs === null) {
    // The market may have come to the stop while the venue was slow, too.
    if (venue.quotes && isTriggeredAt(venue.quotes.last, order)) trigger(floor, group, venue, order);
    return [];
  }
  return work(floor, group, venue, order);
}

function work(floor: Floor, group: Group, venue: Venue, order: PaperOrder): readonly Fill[] {
  const own = ownLevels(floor.books, order.symbol, order.side).filter(({ orderId }) => !floor.unmatched.has(orderId));
  const { fills, meetings, ending } = matchIncoming(order, venue, own, deskOf(floor, venue), floor.fees);
  const executed = execute(floor, group, venue, fills);
  for (const meeting of meetings) prevent(floor, group, order, meeting);
  if (ending) end(floor, group, order.orderId, ending);
  return executed;
}

/** One trade of the market: fills what rests, moves the quotes, and sets off the stop orders that waited for it. */
export function playTrade(floor: Floor, group: Group, symbol: string, trade: MarketTrade, position?: Position): void {
  const venue = venueOf(floor, symbol);
  const open = () => openOrdersOf(floor.books, symbol).filter(({ orderId }) => !floor.unmatched.has(orderId));
  const resting = open().filter(({ workingAtMs }) => workingAtMs !== null);
  execute(floor, group, venue, matchResting(resting, trade, venue.market, deskOf(floor, venue), floor.fees));
  const { price, quantity } = trade;
  const buyerIsMaker = aggressorOf(venue.quotes, trade) === 'SELL';
  const tradeId = venue.tape.lastTradeId + 1;
  print(group, venue, [{ tradeId, price, quantity, buyerIsMaker, tradedAtMs: floor.clock.nowMs() }], position);
  venue.quotes = quotesAfter(venue.quotes, trade, venue.market.tickSize);
  group.announce({ type: 'quotes', symbol });
  for (const order of open()) {
    if (order.workingAtMs === null && isTriggeredAt(price, order)) trigger(floor, group, venue, order);
  }
}

function trigger(floor: Floor, group: Group, venue: Venue, order: PaperOrder): void {
  const { orderId } = order;
  const price = venue.quotes?.last;
  invariant(price !== undefined, 'a market has traded before it triggers');
  const locked = lockAtTrigger(floor, venue, order);
  group.record({ kind: 'triggered', orderId, price, locked, triggeredAtMs: floor.clock.nowMs() });
  work(floor, group, venue, floor.books.order(orderId));
}

/** A purchase at the market locked its stop price. What the book asks by now comes on top, as far as there is money. */
function lockAtTrigger({ books, fees }: Floor, { market, quotes }: Venue, order: PaperOrder): Decimal {
  if (order.side === 'SELL' || order.limitPrice !== null) return order.locked;
  const needed = lockOf({ ...order, stopPrice: null }, market, quotes, fees);
  return smaller(needed, add(order.locked, books.balance(order.lock.asset).free));
}

/** Somebody trades with this very order, at its price, and with nobody else: the quotes stay where they are. */
export function fillResting(floor: Floor, group: Group, orderId: number, quantity: Decimal): readonly Fill[] {
  const order = floor.books.order(orderId);
  if (order.limitPrice === null || order.workingAtMs === null) return [];
  const venue = venueOf(floor, order.symbol);
  const leaves = leavesOf(order);
  const trade = { price: order.limitPrice, quantity: isMore(quantity, leaves) ? leaves : quantity, aggressor: null };
  return execute(floor, group, venue, matchResting([order], trade, venue.market, deskOf(floor, venue), floor.fees));
}

function deskOf({ books, venues, fees }: Floor, { market }: Venue): FeeDesk {
  const { asset } = fees.third;
  return openFeeDesk(fees, venues.get(`${asset}${market.quoteAsset}`)?.quotes?.last ?? null, books.balance(asset).free);
}

// The account's own fills are trades of the market like any other, so that ids stay contiguous.
function execute(floor: Floor, group: Group, venue: Venue, fills: readonly UnnumberedFill[]): readonly Fill[] {
  const tradedAtMs = floor.clock.nowMs();
  const first = venue.tape.lastTradeId + 1;
  const numbered = fills.map((fill, index) => ({ ...fill, tradeId: first + index, tradedAtMs }));
  print(group, venue, numbered.map(printOf));
  for (const fill of numbered) group.record(fill);
  return numbered;
}

function print(group: Group, { market, tape }: Venue, prints: readonly Print[], position = tape.position): void {
  if (prints.length === 0) return;
  tape.append(prints, position);
  for (const each of prints) group.announce({ type: 'trade', symbol: market.symbol, print: each });
}

function prevent({ books, clock }: Floor, group: Group, taker: PaperOrder, { maker, takerQuantity }: Meeting): void {
  const { symbol, preventionMode: mode } = taker;
  const match: PreventedMatch = {
    kind: 'prevented',
    preventedMatchId: books.preventedMatches.filter((each) => each.symbol === symbol).length,
    symbol,
    takerOrderId: taker.orderId,
    makerOrderId: maker.orderId,
    mode,
    price: maker.price,
    takerQuantity: mode === 'EXPIRE_MAKER' ? null : takerQuantity,
    makerQuantity: mode === 'EXPIRE_TAKER' ? null : maker.quantity,
    preventedAtMs: clock.nowMs(),
  };
  group.record(match);
  if (match.makerQuantity !== null) {
    group.record({ ...closedBy(clock), orderId: maker.orderId, status: 'EXPIRED_IN_MATCH', reason: 'NONE' });
  }
}

function end({ clock }: Floor, group: Group, orderId: number, ending: Ending): void {
  group.record({ ...closedBy(clock), orderId, ...ending });
}

const closedBy = (clock: SimulatorClock) => ({ kind: 'closed', cancelId: null, closedAtMs: clock.nowMs() }) as const;

export function venueOf({ venues }: Pick<Floor, 'venues'>, symbol: string): Venue {
  const venue = venues.get(symbol);
  invariant(venue !== undefined, `${symbol} is a symbol of this venue`);
  return venue;
}
