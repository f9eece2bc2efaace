import type { Decimal } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import type { SimulatorClock } from '../clock.ts';
import { lockAsset, type OrderCommand, refusalOf } from './acceptance.ts';
import { type Books, createBooks, type PaperOrder } from './books.ts';
import { type FeeRules, lockOf, matchIncoming, matchResting, type UnnumberedFill } from './engine.ts';
import { createJournal, type ExchangeEvent, type Group, type Journal } from './journal.ts';
import type { BalanceChange, ExpiryReason, Fill, Ledger } from './ledger.ts';
import { aggressorOf, type Market, type MarketTrade, type Quotes, quotesAfter } from './market.ts';
import type { Refusal } from './refusal.ts';
import { type Position, type Print, printOf, type Tape } from './tape.ts';

export type Placement =
  | { readonly outcome: 'accepted'; readonly order: PaperOrder; readonly fills: readonly Fill[] }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** One symbol of the venue. `quotes` is null until its first trade. */
export type Venue = { market: Market; quotes: Quotes | null; readonly tape: Tape };

export type Exchange = {
  readonly books: Books;
  /** By symbol as the dialect writes it. `market` may be changed while the venue runs: the rules apply from then on. */
  readonly venues: ReadonlyMap<string, Venue>;
  readonly fees: FeeRules;
  /** Throws for a symbol that is not of this venue: look into `venues` first with one from outside. */
  venue(symbol: string): Venue;
  /** Takes and matches an order in one step. */
  place(command: OrderCommand): Placement;
  /** The two halves of `place`, for a venue that is slow between them. */
  accept(command: OrderCommand): Placement;
  match(orderId: number): readonly Fill[];
  cancel(orderId: number, cancelId: string): PaperOrder;
  /** One trade of the market: fills resting orders, moves the quotes, goes on the tape. */
  trade(symbol: string, trade: MarketTrade, position?: Position): void;
  /** Says the quotes again: nothing has changed, but the market is there. */
  announceQuotes(): void;
  changeBalance(asset: string, change: Decimal, reason: BalanceChange['reason']): void;
  onEvent(listener: (event: ExchangeEvent) => void): () => void;
};

type ExchangeOptions = {
  readonly markets: readonly { readonly market: Market; readonly tape: Tape }[];
  readonly ledger: Ledger;
  readonly clock: SimulatorClock;
  readonly fees: FeeRules;
};

type Core = {
  readonly books: Books;
  readonly venues: ReadonlyMap<string, Venue>;
  readonly journal: Journal;
  readonly clock: SimulatorClock;
  readonly fees: FeeRules;
  /** Accepted, but not yet matched: the market's trades must not fill them as if they rested. */
  readonly unmatched: Set<number>;
};

/** The exchange itself: no sockets, no timers, no dice. The same commands at the same times give the same ledger. */
export function createExchange({ markets, ledger, clock, fees }: ExchangeOptions): Exchange {
  const books = createBooks();
  const journal = createJournal(books, ledger, clock);
  const venues = new Map(markets.map(({ market, tape }) => [market.symbol, { market, tape, quotes: null }]));
  const core: Core = { books, venues, journal, clock, fees, unmatched: new Set() };

  const commit = <T>(work: (group: Group) => T): T => {
    const group = journal.open();
    const result = work(group);
    group.commit();
    return result;
  };

  return {
    books,
    venues,
    fees,
    venue: (symbol) => venueOf(core, symbol),
    place: (command) => commit((group) => place(core, group, command)),
    accept: (command) => commit((group) => accept(core, group, command)),
    match: (orderId) => commit((group) => match(core, group, orderId)),
    cancel(orderId, cancelId) {
      commit((group) => close(core, group, orderId, 'NONE', cancelId));
      return books.order(orderId);
    },
    trade: (symbol, trade, position) => commit((group) => playTrade(core, group, symbol, trade, position)),
    announceQuotes: () =>
      commit((group) => {
        for (const symbol of venues.keys()) group.announce({ type: 'quotes', symbol });
      }),
    changeBalance: (asset, change, reason) =>
      commit((group) => group.record({ kind: 'balance', asset, change, reason, changedAtMs: clock.nowMs() })),
    onEvent: (listener) => journal.onEvent(listener),
  };
}

function place(core: Core, group: Group, command: OrderCommand): Placement {
  const placement = accept(core, group, command);
  if (placement.outcome === 'refused') return placement;
  const { orderId } = placement.order;
  const fills = match(core, group, orderId);
  return { outcome: 'accepted', order: core.books.order(orderId), fills };
}

function accept(core: Core, group: Group, command: OrderCommand): Placement {
  const { books, fees, clock } = core;
  const { market, quotes } = venueOf(core, command.symbol);
  const refusal = refusalOf(command, { market, quotes, books, fees });
  if (refusal) return { outcome: 'refused', refusal };
  const orderId = books.orders.size + 1;
  group.record({
    ...command,
    kind: 'order',
    orderId,
    clientOrderId: command.clientOrderId ?? `paper-${orderId}`,
    baseAsset: market.baseAsset,
    quoteAsset: market.quoteAsset,
    lock: { asset: lockAsset(command, market), quantity: lockOf(command, market, quotes, fees) },
    acceptedAtMs: clock.nowMs(),
  });
  core.unmatched.add(orderId);
  return { outcome: 'accepted', order: books.order(orderId), fills: [] };
}

function match(core: Core, group: Group, orderId: number): readonly Fill[] {
  core.unmatched.delete(orderId);
  // It may have been canceled while the venue was slow.
  if (!core.books.openOrders.has(orderId)) return [];
  const order = core.books.order(orderId);
  const venue = venueOf(core, order.symbol);
  const { fills, expires } = matchIncoming(order, venue.market, venue.quotes, core.fees);
  const executed = execute(core, group, venue, fills);
  if (expires) close(core, group, orderId, expires, null);
  return executed;
}

function playTrade(core: Core, group: Group, symbol: string, trade: MarketTrade, position?: Position): void {
  const { books, unmatched, fees, clock } = core;
  const venue = venueOf(core, symbol);
  const resting = [...books.openOrders.values()].filter(
    (each) => each.symbol === symbol && !unmatched.has(each.orderId),
  );
  execute(core, group, venue, matchResting(resting, trade, venue.market, fees));
  const { price, quantity } = trade;
  const buyerIsMaker = aggressorOf(venue.quotes, trade) === 'SELL';
  const tradeId = venue.tape.lastTradeId + 1;
  print(group, venue, [{ tradeId, price, quantity, buyerIsMaker, tradedAtMs: clock.nowMs() }], position);
  venue.quotes = quotesAfter(venue.quotes, trade, venue.market.tickSize);
  group.announce({ type: 'quotes', symbol });
}

// The account's own fills are trades of the market like any other, so that ids stay contiguous.
function execute(core: Core, group: Group, venue: Venue, fills: readonly UnnumberedFill[]): readonly Fill[] {
  const tradedAtMs = core.clock.nowMs();
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

function close(core: Core, group: Group, orderId: number, reason: ExpiryReason, cancelId: string | null): void {
  const status = cancelId === null ? 'EXPIRED' : 'CANCELED';
  group.record({ kind: 'closed', orderId, status, reason, cancelId, closedAtMs: core.clock.nowMs() });
}

function venueOf({ venues }: Core, symbol: string): Venue {
  const venue = venues.get(symbol);
  invariant(venue !== undefined, `${symbol} is a symbol of this venue`);
  return venue;
}
