import { type Decimal, sum } from '../../domain/decimal.ts';
import type { Guard } from '../../domain/guard.ts';
import { unrealizedPnl } from '../../domain/position.ts';
import type { EntryRequest } from '../messages/entry-request.ts';
import type { EventEnvelope } from '../messages/events.ts';
import type { OrderReported, PositionClosed } from '../messages/messages.ts';
import { entryId } from '../messages/names.ts';
import type {
  GuardSummary,
  OrderSummary,
  PositionSummary,
  TradeRecord,
  TradeSummary,
  TradeView,
} from './trade-view.ts';

// What every face shows of the book's own rows: worked out in one place, so that all of them say the same.

/** A trade in one line: its symbols and side, and what it came to once it is closed. */
export function summaryOf(trade: BookTrade): TradeSummary {
  const [leg, ...others] = trade.request.legs;
  return {
    ...trade,
    symbol: leg?.symbol ?? '',
    side: leg?.side ?? 'BUY',
    otherSymbols: others.map(({ symbol }) => symbol),
    ...pnlOf(trade.result),
  };
}

/** All of a trade, with the place where the Temporal UI shows it, and what it would make at the prices that are given. */
export function viewOf(trade: BookTradeInFull, temporalUi: TemporalUi, prices: LastPrices): TradeView {
  return {
    ...trade,
    ...summaryOf(trade),
    orders: trade.orders.map(orderSummaryOf),
    positions: trade.positions.map((position) => ({ ...position, unrealizedPnl: unrealizedOf(position, prices) })),
    guards: trade.guards.map(guardSummaryOf),
    temporalUrl: temporalUrlOf(temporalUi, trade.tradeId),
  };
}

/** A record as it goes out: what every record has by name, the rest as its data. */
export function recordOf({ no, seq, body }: BookRecord): TradeRecord {
  const { v: _version, tradeId: _tradeId, type, at, actor, ...rest } = body;
  // Of what the database stamps on it (`_eventId`, …) only its number is of use out there, and that it has.
  const data = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('_')));
  return { no, seq, type, at, actor, data };
}

export type TemporalUi = { readonly uiUrl: string | undefined; readonly namespace: string };

/** The last price by symbol; one that is absent is not known. `ageMs` counts from when the venue last vouched for it. */
export type LastPrices = Readonly<Record<string, LastPrice>>;
export type LastPrice = { readonly price: Decimal; readonly ageMs: number };

type BookTrade = Omit<TradeSummary, 'symbol' | 'side' | 'otherSymbols' | 'pnl' | 'pnlAsset'> & {
  readonly request: EntryRequest;
  readonly result: readonly PositionClosed[] | null;
};

type BookTradeInFull = BookTrade &
  Pick<TradeView, 'decision' | 'exitRequest'> & {
    readonly positions: readonly BookPosition[];
    readonly orders: readonly BookOrder[];
    readonly guards: readonly BookGuard[];
  };

type BookOrder = Omit<OrderSummary, 'filledQuantity' | 'filledQuote' | 'reasonCode' | 'reason'> & {
  readonly reported: OrderReported;
};

type BookPosition = Omit<PositionSummary, 'unrealizedPnl'>;

type BookGuard = Omit<GuardSummary, 'kind' | 'price' | 'status'> & {
  readonly guard: Guard;
  readonly acknowledgedVersion: number;
  readonly disarmedAtMs: number | null;
};

type BookRecord = {
  readonly no: number;
  readonly seq: number | null;
  readonly body: EventEnvelope & Readonly<Record<string, unknown>>;
};

/** Amounts of several assets have no sum: then only the legs say what they came to. */
function pnlOf(result: BookTrade['result']): Pick<TradeSummary, 'pnl' | 'pnlAsset'> {
  const [first, ...others] = result ?? [];
  if (first === undefined || others.some(({ pnlAsset }) => pnlAsset !== first.pnlAsset)) {
    return { pnl: null, pnlAsset: null };
  }
  return { pnl: sum([first, ...others].map(({ pnl }) => pnl)), pnlAsset: first.pnlAsset };
}

function unrealizedOf(position: BookPosition, prices: LastPrices): PositionSummary['unrealizedPnl'] {
  const last = prices[position.symbol];
  return position.isOpen && last ? { amount: unrealizedPnl(position, last.price), ...last } : null;
}

const temporalUrlOf = ({ uiUrl, namespace }: TemporalUi, tradeId: string): string | null =>
  uiUrl === undefined ? null : `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(entryId(tradeId))}`;

const orderSummaryOf = ({ reported, ...order }: BookOrder): OrderSummary => ({
  ...order,
  filledQuantity: reported.filledQuantity,
  filledQuote: reported.filledQuote,
  reasonCode: reported.reasonCode ?? null,
  reason: reported.reason ?? null,
});

const guardSummaryOf = (row: BookGuard): GuardSummary => ({
  ...row,
  kind: row.guard.kind,
  price: row.guard.kind === 'trailingStop' ? row.guard.state.stopPrice : row.guard.terms.price,
  status: guardStatusOf(row),
});

function guardStatusOf(row: BookGuard): GuardSummary['status'] {
  if (row.triggeredAtMs !== null) return 'triggered';
  if (row.disarmedAtMs !== null) return 'disarmed';
  if (row.acknowledgedVersion < row.version) return 'arming';
  return row.guard.state.status === 'waiting' ? 'waiting' : 'watched';
}
