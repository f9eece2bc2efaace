import type { FaultRule } from '../../src/simulator/faults/faults.ts';

/** What the venue has in its own books: an order that it took, with what became of it. */
export type LedgerOrder = {
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'BUY' | 'SELL';
  readonly quantity: string;
  /** Null for all but stop orders. */
  readonly stopPrice?: string | null;
  readonly status: string;
  readonly filledQuantity: string;
  readonly origin: 'api' | 'external';
  readonly receivedAtMs: number;
  readonly acceptedAtMs: number;
};

export type LedgerFill = {
  readonly tradeId: number;
  readonly orderId: number;
  readonly symbol: string;
  readonly side: 'BUY' | 'SELL';
  readonly price: string;
  readonly quantity: string;
  readonly quoteQuantity: string;
  readonly fee: string;
  readonly feeAsset: string;
  readonly isMaker: boolean;
  readonly tradedAtMs: number;
};

/** An order that ended without being filled whole. */
export type LedgerClosing = {
  readonly orderId: number;
  readonly status: string;
  readonly closedAtMs: number;
};

export type LedgerRequest = {
  readonly requestId: number;
  readonly receivedAtMs: number;
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly accepted: boolean;
  readonly answered: boolean;
  readonly httpStatus: number | null;
  readonly code: number | null;
  /** What the plan did to it, in words. */
  readonly faults?: readonly string[];
};

export type Ledger = {
  readonly orders: readonly LedgerOrder[];
  readonly fills: readonly LedgerFill[];
  readonly balances: readonly { readonly asset: string; readonly free: string; readonly locked: string }[];
  readonly requests: readonly LedgerRequest[];
  readonly closings: readonly LedgerClosing[];
};

export type PaperControl = {
  /** The market trades at this price: fills resting orders, moves the quotes, goes out on the streams. */
  tick(...prices: readonly string[]): Promise<void>;
  /** One trade of the market, of so much. */
  trade(price: string, quantity: string): Promise<void>;
  /** A frame on every market stream, as it is. */
  sendRaw(frame: string): Promise<void>;
  plan(...rules: readonly FaultRule[]): Promise<void>;
  clearPlan(): Promise<void>;
  /** Other trading rules of the one symbol from now on, or another depth of its book. */
  rules(rules: Readonly<Record<string, string | number>>): Promise<void>;
  /** What a person does to the account by hand; gives the venue's answer. */
  external(deed: object): Promise<{ readonly order?: { readonly orderId: number } }>;
  ledger(): Promise<Ledger>;
  /** The last trade of the one symbol. */
  lastTradeId(): Promise<number>;
};

type LedgerGroup = { readonly entries: readonly (LedgerClosing & { readonly kind: string })[] };

/** The paper venue's control port, where a test reads the truth and makes the venue behave badly. */
export function paperControl(controlUrl: string): PaperControl {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(new URL(`/__sim/${path}`, controlUrl), {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (response.ok) return response.json();
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  return {
    tick: async (...prices) => void (await call('POST', 'tick', { ticks: prices.map((price) => ({ price })) })),
    trade: async (price, quantity) => void (await call('POST', 'tick', { price, quantity })),
    sendRaw: async (raw) => void (await call('POST', 'tick', { raw })),
    plan: async (...rules) => void (await call('POST', 'plan', { rules })),
    rules: async (rules) => void (await call('POST', 'symbol', { symbol: 'BTC/USDT', rules })),
    external: async (deed) => (await call('POST', 'external', deed)) as { order?: { orderId: number } },
    clearPlan: async () => void (await call('DELETE', 'plan')),
    ledger: async () => {
      const ledger = (await call('GET', 'ledger')) as Omit<Ledger, 'closings'>;
      const { entries } = (await call('GET', 'ledger?kind=entries')) as { entries: readonly LedgerGroup[] };
      const closings = entries.flatMap((group) => group.entries.filter(({ kind }) => kind === 'closed'));
      return { ...ledger, closings };
    },
    lastTradeId: async () => {
      const { symbols } = (await call('GET', 'state')) as { symbols: readonly { lastTradeId: number }[] };
      return symbols[0]?.lastTradeId ?? 0;
    },
  };
}
