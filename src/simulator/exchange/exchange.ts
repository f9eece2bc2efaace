import type { Decimal } from '../../domain/decimal.ts';
import type { SimulatorClock } from '../clock.ts';
import type { OrderCommand } from './acceptance.ts';
import { type Books, createBooks, type PaperOrder } from './books.ts';
import type { FeeRules } from './fees.ts';
import { createJournal, type ExchangeEvent, type Group } from './journal.ts';
import type { BalanceChange, Fill, FillEdited, Ledger } from './ledger.ts';
import type { Market, MarketTrade } from './market.ts';
import {
  accept,
  type Floor,
  fillResting,
  match,
  type Placement,
  place,
  playTrade,
  type Venue,
  venueOf,
} from './order-flow.ts';
import type { Position, Tape } from './tape.ts';

export type { Placement, Venue };

export type Exchange = {
  readonly books: Books;
  /** By symbol as the dialect writes it. `market` may be changed while the venue runs: the rules apply from then on. */
  readonly venues: ReadonlyMap<string, Venue>;
  /** For orders from now on; what an order pays in stays as it was when it was taken. */
  fees: FeeRules;
  /** Throws for a symbol that is not of this venue: look into `venues` first with one from outside. */
  venue(symbol: string): Venue;
  /** Takes and matches an order in one step. */
  place(command: OrderCommand): Placement;
  /** The two halves of `place`, for a venue that is slow between them. */
  accept(command: OrderCommand): Placement;
  match(orderId: number): readonly Fill[];
  cancel(orderId: number, cancelId: string): PaperOrder;
  /** One trade of the market: fills resting orders, moves the quotes, goes on the tape, sets off stop orders. */
  trade(symbol: string, trade: MarketTrade, position?: Position): void;
  /** Fills a resting order at its own price, and nothing else. */
  fill(orderId: number, quantity: Decimal): readonly Fill[];
  /** From now on the venue tells this fill otherwise. */
  editFill(fill: Fill, told: FillEdited['told']): void;
  /** From now on the venue no longer answers for this order. */
  archive(orderId: number): void;
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

/** The exchange itself: no sockets, no timers, no dice. The same commands at the same times give the same ledger. */
export function createExchange({ markets, ledger, clock, fees }: ExchangeOptions): Exchange {
  const books = createBooks();
  const journal = createJournal(books, ledger, clock);
  const venues = new Map(markets.map(({ market, tape }) => [market.symbol, { market, tape, quotes: null }]));
  const floor: Floor = { books, venues, clock, fees, unmatched: new Set() };

  const commit = <T>(work: (group: Group) => T): T => {
    const group = journal.open();
    const result = work(group);
    group.commit();
    return result;
  };

  return {
    books,
    venues,
    get fees() {
      return floor.fees;
    },
    set fees(changed) {
      floor.fees = changed;
    },
    venue: (symbol) => venueOf(floor, symbol),
    place: (command) => commit((group) => place(floor, group, command)),
    accept: (command) => commit((group) => accept(floor, group, command)),
    match: (orderId) => commit((group) => match(floor, group, orderId)),
    cancel(orderId, cancelId) {
      const closedAtMs = clock.nowMs();
      commit((group) =>
        group.record({ kind: 'closed', orderId, status: 'CANCELED', reason: 'NONE', cancelId, closedAtMs }),
      );
      return books.order(orderId);
    },
    trade: (symbol, trade, position) => commit((group) => playTrade(floor, group, symbol, trade, position)),
    fill: (orderId, quantity) => commit((group) => fillResting(floor, group, orderId, quantity)),
    editFill: ({ symbol, tradeId }, told) =>
      commit((group) => group.record({ kind: 'fillEdited', symbol, tradeId, told, editedAtMs: clock.nowMs() })),
    archive: (orderId) => commit((group) => group.record({ kind: 'archived', orderId, archivedAtMs: clock.nowMs() })),
    announceQuotes: () =>
      commit((group) => {
        for (const symbol of venues.keys()) group.announce({ type: 'quotes', symbol });
      }),
    changeBalance: (asset, change, reason) =>
      commit((group) => group.record({ kind: 'balance', asset, change, reason, changedAtMs: clock.nowMs() })),
    onEvent: (listener) => journal.onEvent(listener),
  };
}
