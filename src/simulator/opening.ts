import { type Decimal, isLess, isPositive, multiply, negate } from '../domain/decimal.ts';
import { RatchetError } from '../domain/errors.ts';
import type { SimulatorClock } from './clock.ts';
import type { Exchange, Venue } from './exchange/exchange.ts';
import type { Ledger, MarketOpened } from './exchange/ledger.ts';
import { type Market, type Quotes, quotesAfter } from './exchange/market.ts';
import { type Print, printOf, type Tape } from './exchange/tape.ts';

export type Prices = {
  /** Equal for equal prices. */
  readonly fingerprint: string;
  /** For people. */
  readonly name: string;
  /** Whether each trade says who took: only then do the quotes of before a restart have two sides. */
  readonly saysSides: boolean;
};

type Opening = {
  readonly exchange: Exchange;
  readonly ledger: Ledger;
  readonly clock: SimulatorClock;
  readonly prices: Prices;
  readonly deposits: Readonly<Record<string, Decimal>>;
};

const printsForQuotes = 200;

/**
 * Opens the venue under these prices and returns their number. The prices of before go on where they stood; with other
 * ones the account begins anew, and while anything is open under the old ones they are refused.
 *
 * @throws RatchetError PAPER_PRICES_CHANGED
 */
export function openVenue({ exchange, ledger, clock, prices, deposits }: Opening): number {
  const before = lastOpened(ledger);
  for (const venue of exchange.venues.values()) recoverTape(exchange, venue, clock.nowMs());
  if (before?.fingerprint === prices.fingerprint) {
    for (const venue of exchange.venues.values()) venue.quotes = quotesOf(exchange, venue, prices.saysSides);
    return before.market;
  }
  if (before) refuseOpenTrades(exchange, before, prices);
  for (const { asset, free } of exchange.books.balances()) {
    if (isPositive(free)) exchange.changeBalance(asset, negate(free), 'withdrawal');
  }
  const market = (before?.market ?? 0) + 1;
  const symbols = [...exchange.venues.values()].map((venue) => venue.market);
  const { fingerprint, name } = prices;
  ledger.append([{ kind: 'market', market, fingerprint, name, symbols, openedAtMs: clock.nowMs() }], true);
  for (const [asset, quantity] of Object.entries(deposits)) {
    if (isPositive(quantity)) exchange.changeBalance(asset, quantity, 'deposit');
  }
  return market;
}

const lastOpened = ({ groups }: Ledger): MarketOpened | undefined =>
  groups.flatMap(({ entries }) => entries).findLast((entry) => entry.kind === 'market');

function refuseOpenTrades({ books }: Exchange, before: MarketOpened, prices: Prices): void {
  const orders = books.openOrders.size;
  const held = before.symbols.filter((market) => holdsMoreThanDust(books, market)).map(({ baseAsset }) => baseAsset);
  if (orders === 0 && held.length === 0) return;
  throw new RatchetError('PAPER_PRICES_CHANGED', {
    openOrders: orders,
    held: held.join(' ') || 'nothing',
    before: before.name,
    now: prices.name,
  });
}

/** What is left of a fee in the base asset cannot be sold and holds nobody up. */
function holdsMoreThanDust(books: Exchange['books'], { symbol, baseAsset, quantityMin, notionalMin }: Market): boolean {
  const { free } = books.balance(baseAsset);
  if (isLess(free, quantityMin)) return false;
  const price = books.fills.findLast((fill) => fill.symbol === symbol)?.price;
  return price === undefined || !isLess(multiply(free, price), notionalMin);
}

/** The quotes as the last trades of the market left them; the account's own fills move nothing. */
function quotesOf({ books }: Exchange, { market, tape }: Venue, saysSides: boolean): Quotes | null {
  const own = new Set(books.fills.filter(({ symbol }) => symbol === market.symbol).map(({ tradeId }) => tradeId));
  let quotes: Quotes | null = null;
  for (const { tradeId, price, quantity, buyerIsMaker } of tape.latest(printsForQuotes)) {
    if (own.has(tradeId)) continue;
    const aggressor = buyerIsMaker ? 'SELL' : 'BUY';
    quotes = quotesAfter(quotes, { price, quantity, aggressor: saysSides ? aggressor : null }, market.tickSize);
  }
  return quotes;
}

/**
 * After a loss of power the ledger, which is written through, can be ahead of the tape, which is not. The fills that the
 * tape has lost are printed again, and what was lost between them repeats the last price, so that ids stay contiguous.
 */
function recoverTape({ books }: Exchange, { market, tape }: Venue, nowMs: number): void {
  const lost = books.fills.filter(({ symbol, tradeId }) => symbol === market.symbol && tradeId > tape.lastTradeId);
  for (const fill of lost) {
    while (tape.lastTradeId < fill.tradeId - 1) tape.append([repeated(tape, market, fill.price, nowMs)]);
    tape.append([printOf(fill)]);
  }
}

function repeated(tape: Tape, { stepSize }: Market, otherwise: Decimal, nowMs: number): Print {
  const last = tape.latest(1)[0] ?? { price: otherwise, buyerIsMaker: false, tradedAtMs: nowMs };
  return { ...last, tradeId: tape.lastTradeId + 1, quantity: stepSize };
}
