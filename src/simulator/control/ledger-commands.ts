import type { LedgerEntry } from '../exchange/ledger.ts';
import { pairOf } from '../exchange/market.ts';
import type { VenueCore } from '../venue-core.ts';
import { type Body, type Command, type Outcome, ok, wrong } from './command.ts';
import type { Stage } from './stage.ts';

/** What the venue knows. */
export const ledgerCommands: Readonly<Record<string, Command>> = {
  'GET /__sim/ledger': showLedger,
  'GET /__sim/state': (stage) => ok(stateOf(stage)),
};

/** `?kind=orders|fills|balances|requests|prevented|entries` shows one part; `entries` is the journal itself, in its order. */
function showLedger({ core }: Stage, _: Body, query: URLSearchParams): Outcome {
  const { books } = core.exchange;
  const parts: Readonly<Record<string, () => unknown>> = {
    orders: () => ordersOf(core),
    fills: () => books.fills,
    balances: () => books.balances(),
    requests: () => core.log.records(),
    prevented: () => books.preventedMatches,
    entries: () => core.ledger.groups,
  };
  const kind = query.get('kind');
  const hash = core.ledger.hash();
  if (kind === null) {
    const whole = Object.entries(parts).filter(([name]) => name !== 'entries');
    return ok({ hash, ...Object.fromEntries(whole.map(([name, part]) => [name, part()])) });
  }
  const part = parts[kind];
  return part ? ok({ hash, [kind]: part() }) : wrong(`kind is one of ${Object.keys(parts).join(', ')}`);
}

type Transition = { readonly to: string; readonly atMs: number; readonly quantity?: string };

/** Every order with all that happened to it, in its order. */
function ordersOf({ exchange, ledger }: VenueCore): readonly object[] {
  const histories = new Map<number, Transition[]>();
  for (const { entries } of ledger.groups) {
    for (const entry of entries) {
      const transition = transitionOf(entry);
      if (!transition || !('orderId' in entry)) continue;
      const history = histories.get(entry.orderId) ?? [];
      histories.set(entry.orderId, [...history, transition]);
    }
  }
  return [...exchange.books.orders.values()].map((order) => ({
    ...order,
    transitions: histories.get(order.orderId) ?? [],
  }));
}

function transitionOf(entry: LedgerEntry): Transition | null {
  switch (entry.kind) {
    case 'order':
      return { to: 'NEW', atMs: entry.acceptedAtMs };
    case 'triggered':
      return { to: 'TRIGGERED', atMs: entry.triggeredAtMs };
    case 'fill':
      return { to: 'FILL', atMs: entry.tradedAtMs, quantity: entry.quantity };
    case 'closed':
      return { to: entry.status, atMs: entry.closedAtMs };
    case 'archived':
      return { to: 'ARCHIVED', atMs: entry.archivedAtMs };
    default:
      return null;
  }
}

function stateOf({ core, replay, troubles }: Stage): object {
  const { exchange, clock, ledger, badLines } = core;
  const state = replay?.state() ?? null;
  return {
    clock: { kind: clock.kind, nowMs: clock.nowMs() },
    symbols: [...exchange.venues.values()].map(({ market, quotes, tape }) => ({
      symbol: pairOf(market),
      status: market.status,
      quotes,
      lastTradeId: tape.lastTradeId,
    })),
    pricesEnded: state?.pricesEnded ?? false,
    replay: state,
    badLines,
    openOrders: exchange.books.openOrders.size,
    balances: exchange.books.balances(),
    fees: exchange.fees,
    troubles: troubles.list(),
    ledgerHash: ledger.hash(),
  };
}
