import type { SimulatorClock } from '../clock.ts';
import type { Books, PaperBalance, PaperOrder } from './books.ts';
import type { BalanceChange, Fill, Ledger, LedgerEntry } from './ledger.ts';
import type { Print } from './tape.ts';

/** What the venue tells the world, after it is in the ledger. */
export type ExchangeEvent =
  | { readonly type: 'trade'; readonly symbol: string; readonly print: Print }
  | { readonly type: 'quotes'; readonly symbol: string }
  | { readonly type: 'balances'; readonly balances: readonly PaperBalance[]; readonly atMs: number }
  | { readonly type: 'transfer'; readonly change: BalanceChange }
  | Execution;

/** One change of an order, with the order as it is after it. */
export type Execution = {
  readonly type: 'execution';
  /** NEW once more when a stop order begins to work. */
  readonly execution: 'NEW' | 'TRADE' | 'CANCELED' | 'EXPIRED' | 'TRADE_PREVENTION';
  readonly executionId: number;
  readonly order: PaperOrder;
  readonly fill: Fill | null;
  /** The client id of the cancel, where the order was canceled. */
  readonly cancelId: string | null;
  readonly atMs: number;
};

/** What one command changes: applied to the books at once, told to listeners once it is in the ledger. */
export type Group = {
  record(entry: LedgerEntry): void;
  announce(event: ExchangeEvent): void;
  commit(): void;
};

export type Journal = {
  open(): Group;
  onEvent(listener: (event: ExchangeEvent) => void): () => void;
};

export function createJournal(books: Books, ledger: Ledger, clock: SimulatorClock): Journal {
  const listeners = new Set<(event: ExchangeEvent) => void>();
  let executions = 0;
  for (const entry of ledger.groups.flatMap(({ entries }) => entries)) {
    books.apply(entry);
    if (isExecution(entry)) executions += 1;
  }

  const open = (): Group => {
    const entries: LedgerEntry[] = [];
    const events: ExchangeEvent[] = [];
    return {
      record(entry) {
        books.apply(entry);
        entries.push(entry);
        if (entry.kind === 'balance') events.push({ type: 'transfer', change: entry });
        if (!isExecution(entry)) return;
        executions += 1;
        events.push(executionOf(entry, executions, books));
      },
      announce: (event) => void events.push(event),
      commit() {
        if (entries.length > 0) ledger.append(entries, true);
        const assets = new Set(entries.flatMap((entry) => assetsOf(entry, books)));
        const balances = [...assets].map((asset) => books.balance(asset));
        if (balances.length > 0) events.push({ type: 'balances', balances, atMs: clock.nowMs() });
        for (const event of events) for (const listener of listeners) listener(event);
      },
    };
  };

  return {
    open,
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

type OrderEntry = Extract<LedgerEntry, { kind: 'order' | 'triggered' | 'fill' | 'closed' }>;

const executionKinds: ReadonlySet<string> = new Set<OrderEntry['kind']>(['order', 'triggered', 'fill', 'closed']);
const isExecution = (entry: LedgerEntry): entry is OrderEntry => executionKinds.has(entry.kind);

function executionOf(entry: OrderEntry, executionId: number, books: Books): Execution {
  const base = {
    type: 'execution',
    executionId,
    order: books.order(entry.orderId),
    fill: null,
    cancelId: null,
  } as const;
  switch (entry.kind) {
    case 'order':
      return { ...base, execution: 'NEW', atMs: entry.acceptedAtMs };
    case 'triggered':
      return { ...base, execution: 'NEW', atMs: entry.triggeredAtMs };
    case 'fill':
      return { ...base, execution: 'TRADE', fill: entry, atMs: entry.tradedAtMs };
    case 'closed':
      return { ...base, execution: executionOfEnd[entry.status], cancelId: entry.cancelId, atMs: entry.closedAtMs };
  }
}

const executionOfEnd = { CANCELED: 'CANCELED', EXPIRED: 'EXPIRED', EXPIRED_IN_MATCH: 'TRADE_PREVENTION' } as const;

function assetsOf(entry: LedgerEntry, books: Books): readonly string[] {
  if (entry.kind === 'balance') return [entry.asset];
  if (!isExecution(entry)) return [];
  const { baseAsset, quoteAsset } = books.order(entry.orderId);
  return entry.kind === 'fill' ? [baseAsset, quoteAsset, entry.feeAsset] : [baseAsset, quoteAsset];
}
