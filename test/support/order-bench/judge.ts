import Big from 'big.js';
import type { BenchEvidence, LedgerRequest } from './evidence.ts';

// The promises as far as a ledger and a database can tell of them. Nothing of the product is used to judge.

type Check = (evidence: BenchEvidence) => readonly string[];

const stepSize = '0.001';

const total = (values: readonly string[]): Big => values.reduce((sum, value) => sum.plus(value), new Big(0));

const repeated = (values: readonly string[]): readonly string[] => [
  ...new Set(values.filter((value, i) => values.indexOf(value) !== i)),
];

const isPlacement = ({ method, path }: LedgerRequest): boolean =>
  method === 'POST' && (path === '/api/v3/order' || path === '/api/v3/order/cancelReplace');

const oursAtVenue = ({ ledger }: BenchEvidence) => ledger.orders.filter(({ origin }) => origin === 'api');

const bookOf = ({ orders }: BenchEvidence, clientOrderId: string) =>
  orders.find((order) => order.client_order_id === clientOrderId);

function fillsOf(evidence: BenchEvidence, tradeId: string) {
  return evidence.ledger.fills.filter(({ orderId }) => {
    const order = oursAtVenue(evidence).find((each) => each.orderId === orderId);
    return order !== undefined && bookOf(evidence, order.clientOrderId)?.trade_id === tradeId;
  });
}

/** What the venue's ledger says that the trade holds and has sold. */
function holdingOf(evidence: BenchEvidence, tradeId: string): { readonly held: Big; readonly sold: Big } {
  const fills = fillsOf(evidence, tradeId);
  const quantity = (side: string) => total(fills.filter((fill) => fill.side === side).map((fill) => fill.quantity));
  const baseFee = total(fills.filter(({ feeAsset }) => feeAsset === 'BTC').map(({ fee }) => fee));
  return { held: quantity('BUY').minus(baseFee), sold: quantity('SELL') };
}

const oneEntryPerTrade: Check = (evidence) =>
  repeated(
    oursAtVenue(evidence).flatMap(({ clientOrderId }) => {
      const order = bookOf(evidence, clientOrderId);
      return order?.purpose === 'entry' ? [`${order.trade_id} leg ${order.leg}`] : [];
    }),
  ).map((leg) => `more than one entry order of ${leg} was taken`);

const oneOrderPerId: Check = (evidence) =>
  repeated(oursAtVenue(evidence).map(({ clientOrderId }) => clientOrderId)).map((id) => `${id} was taken twice`);

const neverMoreThanAsked: Check = (evidence) =>
  evidence.trades.flatMap(({ trade_id }) => {
    const { held, sold } = holdingOf(evidence, trade_id);
    const asked = total(
      evidence.reservations.filter((each) => each.trade_id === trade_id).map((each) => each.quantity),
    );
    const bought = total(
      fillsOf(evidence, trade_id)
        .filter(({ side }) => side === 'BUY')
        .map(({ quantity }) => quantity),
    );
    return [
      ...(bought.gt(asked) ? [`${trade_id} bought ${bought.toFixed()} of ${asked.toFixed()}`] : []),
      ...(sold.gt(held) ? [`${trade_id} sold ${sold.toFixed()} of ${held.toFixed()}`] : []),
    ];
  });

const intentFirst: Check = ({ ledger, intents }) =>
  ledger.requests.filter(isPlacement).flatMap(({ requestId, parameters }) => {
    const id = parameters['newClientOrderId'] ?? '';
    const before = intents.get(id);
    if (before === undefined) return [`${id} was sent without an intent`];
    return before < requestId ? [] : [`${id} was sent before its intent was committed`];
  });

const everySendOnce: Check = ({ ledger }) =>
  repeated(
    ledger.requests
      .filter(isPlacement)
      .map(({ parameters }) => `${parameters['newClientOrderId']} at ${parameters['timestamp']}`),
  ).map((send) => `${send} was sent twice`);

const fillsAreTheVenues: Check = (evidence) => {
  const number = (text: string) => new Big(text).toFixed();
  const atVenue = evidence.ledger.fills.flatMap((fill) => {
    const order = oursAtVenue(evidence).find(({ orderId }) => orderId === fill.orderId);
    if (order === undefined) return [];
    const numbers = [fill.price, fill.quantity, fill.quoteQuantity, fill.fee].map(number);
    return [[order.clientOrderId, fill.tradeId, fill.side, ...numbers, fill.feeAsset].join(' ')];
  });
  const inBook = evidence.fills.map((fill) => {
    const numbers = [fill.price, fill.quantity, fill.quote_quantity, fill.fee].map(number);
    return [fill.client_order_id, fill.venue_trade_id, fill.side, ...numbers, fill.fee_asset].join(' ');
  });
  return [
    ...atVenue.filter((fill) => !inBook.includes(fill)).map((fill) => `the book lacks the fill ${fill}`),
    ...inBook.filter((fill) => !atVenue.includes(fill)).map((fill) => `the venue does not know the fill ${fill}`),
    ...repeated(inBook).map((fill) => `the book has the fill twice: ${fill}`),
  ];
};

const statusOf: Readonly<Record<string, readonly string[]>> = {
  NEW: ['new'],
  PARTIALLY_FILLED: ['partiallyFilled'],
  FILLED: ['filled'],
  CANCELED: ['canceled'],
  EXPIRED: ['expired'],
  EXPIRED_IN_MATCH: ['expired'],
};

/** After everything has settled the book says of each order what the ledger says, and nothing is silently lost. */
const ordersAgree: Check = (evidence) => [
  ...oursAtVenue(evidence).flatMap(({ clientOrderId, status, filledQuantity }) => {
    const order = bookOf(evidence, clientOrderId);
    if (order === undefined) return [`the book does not know ${clientOrderId}`];
    const agrees = statusOf[status]?.includes(order.status) && new Big(order.filled_quantity).eq(filledQuantity);
    return agrees
      ? []
      : [`${clientOrderId} is ${status} ${filledQuantity}, the book: ${order.status} ${order.filled_quantity}`];
  }),
  ...evidence.orders.flatMap(({ client_order_id: id, status, in_doubt, reason_code }) => {
    const isAtVenue = oursAtVenue(evidence).some(({ clientOrderId }) => clientOrderId === id);
    const mayBeAbsent =
      ['rejected', 'denied', 'parked'].includes(status) || /^ORDER_(PRESUMED|DECLARED)_DEAD$/.test(reason_code ?? '');
    return isAtVenue || mayBeAbsent ? [] : [`${id} is ${status}${in_doubt ? ' in doubt' : ''}, the venue lacks it`];
  }),
];

const everyEndIsRight: Check = (evidence) =>
  evidence.trades.flatMap(({ trade_id, phase, result }) => {
    const { held, sold } = holdingOf(evidence, trade_id);
    const left = held.minus(sold);
    if (phase === 'unfilled') return held.eq(0) ? [] : [`${trade_id} is unfilled and holds ${left.toFixed()}`];
    if (phase !== 'closed') return [];
    const flat = left.lt(stepSize) ? [] : [`${trade_id} is closed and holds ${left.toFixed()}`];
    const fills = fillsOf(evidence, trade_id);
    const quote = (side: string) => total(fills.filter((each) => each.side === side).map((each) => each.quoteQuantity));
    const fees = total(fills.filter(({ feeAsset }) => feeAsset === 'USDT').map(({ fee }) => fee));
    const isPriced = fills.every(({ feeAsset }) => feeAsset === 'USDT' || feeAsset === 'BTC');
    const stated = total((result ?? []).map((leg) => leg['pnl'] ?? 'NaN'));
    const pnl = quote('SELL').minus(quote('BUY')).minus(fees);
    return isPriced && !stated.eq(pnl)
      ? [...flat, `${trade_id} states ${stated.toFixed()}, the ledger comes to ${pnl.toFixed()}`]
      : flat;
  });

const reservationsAreConserved: Check = ({ reservations, trades, orders }) =>
  reservations.flatMap(({ trade_id, quantity, posted_quantity, voided_quantity }) => {
    const pending = new Big(quantity).minus(posted_quantity).minus(voided_quantity);
    if (pending.lt(0)) return [`${trade_id} gave back more than was reserved`];
    const isOver = trades.some((trade) => trade.trade_id === trade_id && /^(closed|unfilled)$/.test(trade.phase));
    if (isOver && !pending.eq(0)) return [`${trade_id} is over and reserves ${pending.toFixed()}`];
    const isParked = orders.some((order) => order.trade_id === trade_id && order.status === 'parked');
    return isParked && !isOver && pending.plus(posted_quantity).lt(quantity)
      ? [`${trade_id} is parked and gave back ${voided_quantity}`]
      : [];
  });

const silentlyLost: Check = ({ orders, alerts }) =>
  orders
    .filter(({ status }) => status === 'parked')
    .filter(
      ({ client_order_id: id }) =>
        !alerts.some((alert) => alert.code === 'ORDER_PARKED' && alert.context['clientOrderId'] === id),
    )
    .map(({ client_order_id: id }) => `${id} is parked and nobody was told`);

const everyChangeRecorded: Check = ({ orders, fills, events }) => [
  ...orders.flatMap(({ client_order_id: id, purpose, status, in_doubt }) => {
    const of = events.filter(({ body }) => body['clientOrderId'] === id);
    const intents = of.filter(({ type }) => type === (purpose === 'entry' ? 'OrderIntent' : 'ExitIntent')).length;
    const last = of.findLast(({ body }) => body['status'] !== undefined)?.body;
    const isAsRecorded =
      last === undefined ? status === 'pendingNew' : last['status'] === status && last['inDoubt'] === in_doubt;
    return [
      ...(intents === 1 ? [] : [`${id} has ${intents} records of its intent`]),
      ...(isAsRecorded ? [] : [`${id} is ${status}, its last record says ${String(last?.['status'])}`]),
    ];
  }),
  ...fills.flatMap(({ client_order_id, venue_trade_id }) => {
    const count = events.filter(
      ({ type, body }) =>
        type === 'Fill' && body['venueTradeId'] === venue_trade_id && body['clientOrderId'] === client_order_id,
    ).length;
    return count === 1 ? [] : [`fill ${venue_trade_id} has ${count} records`];
  }),
];

const checks = {
  'I1 one entry per trade and leg': oneEntryPerTrade,
  'I1 one order per client order id': oneOrderPerId,
  'I2 never more than asked or held': neverMoreThanAsked,
  'I5 every change has its record': everyChangeRecorded,
  'I7 the intent is first': intentFirst,
  'I7 every send has a timestamp of its own': everySendOnce,
  'I12 nothing is silently lost': silentlyLost,
  'I13 fills are those of the venue': fillsAreTheVenues,
  'I13 orders are those of the venue': ordersAgree,
  'I13 every end is right': everyEndIsRight,
  'I16 reservations are conserved': reservationsAreConserved,
} as const satisfies Readonly<Record<string, Check>>;

type CheckName = keyof typeof checks;

/** Every broken promise with its name; `except` names those that a story is meant to break. */
export const judgeBench = (evidence: BenchEvidence, ...except: readonly CheckName[]): readonly string[] =>
  Object.entries(checks)
    .filter(([name]) => !except.includes(name as CheckName))
    .flatMap(([name, check]) => check(evidence).map((fault) => `${name}: ${fault}`));
