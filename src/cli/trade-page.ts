import type { OrderSummary, PositionSummary, TradeRecord, TradeView } from '../contracts/schemas/trade-view.ts';
import { utc } from './output.ts';

/** A trade for a person to read: what was asked and decided, its orders and fills, what guards it, what it came to. */
export function tradePage(trade: TradeView, records: readonly TradeRecord[]): readonly string[] {
  return [
    `${trade.tradeId}: ${trade.phase.toUpperCase()}`,
    ...asked(trade),
    ...decided(trade),
    ...section(
      'Orders',
      trade.orders.flatMap((order) => orderLines(trade, order)),
    ),
    ...section('Guards', guardLines(trade)),
    ...section('Exit', exitLines(trade)),
    ...section('Result', resultLines(trade)),
    ...section('Records', records.map(recordLine)),
    ...section('Temporal UI', trade.temporalUrl === null ? [] : [trade.temporalUrl]),
  ];
}

/** A record in one line: when, what, who, and its data. */
export function recordLine({ at, type, actor, data }: TradeRecord): string {
  const facts = Object.entries(data)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .map(([name, value]) => `${name}=${String(value)}`);
  return `${at.slice(0, 23)}  ${type.padEnd(16)}  ${actor.id}  ${facts.join(' ')}`;
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];

function asked({ request, account, strategy, venue }: TradeView): readonly string[] {
  const { entry, legs, reason } = request;
  const how = (price = entry.type === 'LIMIT' ? entry.price : '') =>
    entry.type === 'LIMIT' ? `at ${price} ${entry.timeInForce}` : 'at market';
  return [
    ...legs.map(({ side, quantity, symbol, price }) => `${side} ${quantity} ${symbol} ${how(price)}`),
    `account ${account} at ${venue}, strategy ${strategy}${reason === undefined ? '' : `: ${reason}`}`,
  ];
}

function decided({ decision }: TradeView): readonly string[] {
  const prices = [decision.price, ...(decision.otherPrices ?? [])].flatMap((price) => price?.last ?? []);
  return [
    `${decision.outcome} ${utc(decision.decidedAtMs)}${prices.length > 0 ? ` at a last price of ${prices.join(' and ')}` : ''}`,
    ...decision.reasons.map(({ code, message, remedy }) => `  ${code}: ${message} To fix: ${remedy}`),
  ];
}

function orderLines({ request: { legs } }: TradeView, order: OrderSummary): readonly string[] {
  const { clientOrderId, purpose, side, orderType, limitPrice, stopPrice, timeInForce, status } = order;
  const quantity = legs.length === 1 ? order.quantity : `${order.quantity} ${legs[order.leg]?.symbol}`;
  const type = stopPrice === null ? orderType : `${orderType} from ${stopPrice} at`;
  const price = limitPrice === null ? type : `${type} ${limitPrice} ${timeInForce ?? ''}`.trim();
  const doubt = order.inDoubt ? ', IN DOUBT' : '';
  const why = order.reason ?? order.reasonCode;
  return [
    `${purpose} ${clientOrderId}: ${side} ${quantity} ${price}, ${status}${doubt}, filled ${order.filledQuantity}${why === null ? '' : ` (${why})`}`,
    ...order.fills.map(
      (fill) =>
        `  ${utc(fill.transactedAtMs)}  ${fill.quantity} at ${fill.price}, fee ${fill.fee} ${fill.feeAsset} (venue trade ${fill.venueTradeId})`,
    ),
  ];
}

const guardLines = ({ guards, request }: TradeView): readonly string[] => [
  ...guards.map(({ kind, price, status }) => `${kind}: ${price === null ? 'no price yet' : `at ${price}`}, ${status}`),
  ...(request.exit.timeStopMs === undefined ? [] : [`timeStop: ${request.exit.timeStopMs} ms after the first fill`]),
];

const exitLines = ({ exitRequest }: TradeView): readonly string[] =>
  exitRequest === null
    ? []
    : [
        `${exitRequest.reason}, asked for by ${exitRequest.actor ?? exitRequest.source} ${utc(exitRequest.requestedAtMs)}`,
      ];

const resultLines = ({ result, positions }: TradeView): readonly string[] =>
  result === null
    ? positions.flatMap(positionLines)
    : result.map(
        ({ symbol, pnl, pnlAsset, dust, writtenOff, exitReason, closedAtMs }) =>
          `${symbol}: P&L ${pnl} ${pnlAsset} after fees, dust ${dust}${writtenOff === undefined ? '' : `, written off ${writtenOff}`}, by ${exitReason} ${utc(closedAtMs)}`,
      );

const positionLines = (position: PositionSummary): readonly string[] => [
  `${position.side} ${position.symbol}: bought ${position.entryQuantity} for ${position.entryQuote}, sold ${position.exitQuantity} so far`,
  ...(position.isOpen ? [unrealizedLine(position)] : []),
];

function unrealizedLine({ symbol, unrealizedPnl }: PositionSummary): string {
  if (unrealizedPnl === null) return '  unrealized P&L: not known, because no price is at hand; the API has them';
  const { amount, price, ageMs } = unrealizedPnl;
  const quoteAsset = symbol.split('/')[1];
  return `  unrealized P&L: ${amount} ${quoteAsset} at ${price} (${ageMs} ms old), fees in ${quoteAsset} aside`;
}
