import { add, compare, type Decimal, decimal, divide, isZero, type TradeRecord } from '../client/index.ts';

type Reason = { readonly code: string; readonly message: string; readonly remedy: string };

type TradeEvent =
  | { readonly event: 'resumed' }
  | { readonly event: 'undecided'; readonly why: string }
  | { readonly event: 'denied'; readonly reasons: readonly Reason[] }
  | { readonly event: 'entered'; readonly symbol: string; readonly quantity: Decimal; readonly price: Decimal }
  | { readonly event: 'unfilled'; readonly why: string }
  | { readonly event: 'stopSet'; readonly kind: string; readonly price: Decimal | null }
  | { readonly event: 'stopMoved'; readonly kind: string; readonly price: Decimal | null }
  | { readonly event: 'triggered'; readonly kind: string; readonly price: Decimal | null }
  | { readonly event: 'leaving'; readonly reason: string }
  | { readonly event: 'exited'; readonly symbol: string; readonly quantity: Decimal; readonly price: Decimal }
  | {
      readonly event: 'closed';
      readonly symbol: string;
      readonly reason: string;
      readonly pnl: Decimal;
      readonly pnlAsset: string;
    }
  | { readonly event: 'attention'; readonly what: string };

/** What the bot tells, as data; `sentenceOf` says it in words. */
export type BotEvent =
  | { readonly event: 'waiting'; readonly for: string }
  | ({ readonly tradeId: string } & TradeEvent);

/** One order, as far as the records have told of it. */
type Heard = {
  readonly isEntry: boolean;
  readonly symbol: string;
  readonly quantity: Decimal;
  readonly quote: Decimal;
  /** Null until it has ended; then what the venue says it filled. */
  readonly reported: Decimal | null;
  readonly why: string;
  readonly isTold: boolean;
};

type Data = Readonly<Record<string, unknown>>;

const zero = decimal('0');
const ended: ReadonlySet<string> = new Set(['filled', 'canceled', 'rejected', 'expired', 'denied']);

/** Turns the records of one trade, in order, into what a person wants to hear. */
export function createNarrator(tradeId: string): { hear(record: TradeRecord): readonly BotEvent[] } {
  const orders = new Map<string, Heard>();
  let isLeaving = false;
  const learn = ({ type, data }: TradeRecord): readonly TradeEvent[] => {
    const id = text(data['clientOrderId']);
    if (id === '') return [];
    const after = afterRecord(orders.get(id) ?? unheard(type, data), type, data);
    const events = after.isTold ? [] : orderEvents(after);
    orders.set(id, { ...after, isTold: after.isTold || events.length > 0 });
    return events;
  };
  return {
    hear: (record) => {
      const events = [...learn(record), ...recordEvents(record)];
      // A stop is watched until the position is closed, but nobody waits for it any more.
      const told = isLeaving ? events.filter(({ event }) => event !== 'stopMoved') : events;
      isLeaving ||= events.some(({ event }) => event === 'triggered' || event === 'leaving');
      return told.map((event) => ({ ...event, tradeId }));
    },
  };
}

/** The average price of what was bought or sold; null when nothing was. */
export const averagePrice = (quote: Decimal, quantity: Decimal): Decimal | null =>
  isZero(quantity) ? null : divide(quote, quantity, 8);

const unheard = (type: string, data: Data): Heard => ({
  isEntry: type === 'Fill' ? data['purpose'] === 'entry' : !type.startsWith('Exit'),
  symbol: text(data['symbol']),
  quantity: zero,
  quote: zero,
  reported: null,
  why: '',
  isTold: false,
});

function afterRecord(order: Heard, type: string, data: Data): Heard {
  if (type === 'Fill') {
    const quantity = add(order.quantity, amount(data['quantity']));
    return { ...order, symbol: text(data['symbol']), quantity, quote: add(order.quote, amount(data['quoteQuantity'])) };
  }
  const status = text(data['status']);
  if (type !== 'EntryDenied' && !ended.has(status)) return order;
  const why = [data['reason'], data['reasonCode'], data['code'], status].map(text).find((word) => word !== '') ?? '';
  return { ...order, reported: amount(data['reportedQuantity']), why };
}

// The end of an order and its fills come as records of their own: it is told once both are here.
function orderEvents({ isEntry, symbol, quantity, quote, reported, why }: Heard): readonly TradeEvent[] {
  if (reported === null || compare(quantity, reported) < 0) return [];
  const price = averagePrice(quote, quantity);
  if (price !== null) return [{ event: isEntry ? 'entered' : 'exited', symbol, quantity, price }];
  return isEntry
    ? [{ event: 'unfilled', why }]
    : [{ event: 'attention', what: `an exit order filled nothing: ${why}` }];
}

function recordEvents({ type, data }: TradeRecord): readonly TradeEvent[] {
  switch (type) {
    case 'StopArmed':
      return [{ event: 'stopSet', kind: text(data['kind']), price: armedAt(data) }];
    case 'StopActivated':
    case 'StopMoved':
      return [{ event: 'stopMoved', kind: text(data['kind']), price: price(data['stopPrice']) }];
    case 'StopTriggered':
      return [{ event: 'triggered', kind: text(data['kind']), price: price(data['price']) }];
    case 'ExitRequested':
      return [{ event: 'leaving', reason: text(data['note']) || text(data['reason']) }];
    case 'PositionClosed':
      return closedEvents(data);
    case 'OrderParked':
    case 'ExitParked':
      return [
        { event: 'attention', what: `nobody knows the order ${text(data['clientOrderId'])}: see ratchet resolve` },
      ];
    default:
      return [];
  }
}

// A stop that trails has its price in its state, a fixed one in its terms.
function armedAt({ terms, state }: Data): Decimal | null {
  const { stopPrice } = (state ?? {}) as { stopPrice?: unknown };
  return price(stopPrice) ?? price((terms as { price?: unknown } | undefined)?.price);
}

/** What each leg came to that was ever filled. */
const closedEvents = ({ legs }: Data): readonly TradeEvent[] =>
  ((legs ?? []) as readonly Data[])
    .filter((leg) => !isZero(amount(leg['entryQuantity'])))
    .map((leg) => ({
      event: 'closed',
      symbol: text(leg['symbol']),
      reason: text(leg['exitReason']),
      pnl: amount(leg['pnl']),
      pnlAsset: text(leg['pnlAsset']),
    }));

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const amount = (value: unknown): Decimal => price(value) ?? zero;
const price = (value: unknown): Decimal | null => (typeof value === 'string' && value !== '' ? decimal(value) : null);
