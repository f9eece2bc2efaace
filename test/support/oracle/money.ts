import Big from 'big.js';
import type { Evidence } from '../evidence.ts';
import {
  type Check,
  fillsOfOurs,
  intentOf,
  isDust,
  isOver,
  judgeEach,
  ordersOfOurs,
  repeated,
  total,
  verdict,
} from './check.ts';

/**
 * Fill accounting: Σ product fills == Σ simulator fills per order, each `tradeId` once, fees included; exact decimals. What
 * is over is flat: nothing is held, and nothing of it works at the venue, where it could still trade.
 */
export const I13: Check = (evidence) => {
  const number = (text: string) => new Big(text).toFixed();
  const atVenue = fillsOfOurs(evidence).map(({ clientOrderId, tradeId, side, feeAsset, ...fill }) => {
    const numbers = [fill.price, fill.quantity, fill.quoteQuantity, fill.fee].map(number);
    return [clientOrderId, tradeId, side, ...numbers, feeAsset].join(' ');
  });
  const inBook = evidence.fills.map(({ client_order_id, venue_trade_id, side, fee_asset, ...fill }) => {
    const numbers = [fill.price, fill.quantity, fill.quote_quantity, fill.fee].map(number);
    return [client_order_id, venue_trade_id, side, ...numbers, fee_asset].join(' ');
  });
  const [venueSet, bookSet] = [new Set(atVenue), new Set(inBook)];
  return verdict(
    atVenue.length,
    atVenue.filter((fill) => !bookSet.has(fill)).map((fill) => `the book does not have the fill ${fill}`),
    inBook.filter((fill) => !venueSet.has(fill)).map((fill) => `the venue does not know the fill ${fill}`),
    repeated(inBook).map((fill) => `the book has the fill twice: ${fill}`),
    evidence.trades.flatMap((trade) =>
      legsOf(trade).flatMap((symbol, leg) => moneyFaults(evidence, trade, symbol, leg)),
    ),
    leftWorking(evidence),
  );
};

const leftWorking = (evidence: Evidence): readonly string[] =>
  ordersOfOurs(evidence)
    .filter(({ status }) => /^(NEW|PENDING_NEW|PARTIALLY_FILLED)$/.test(status))
    .flatMap(({ clientOrderId, status }) => {
      const tradeId = intentOf(evidence, clientOrderId)?.trade_id;
      const trade = evidence.trades.find(({ trade_id }) => trade_id === tradeId);
      return trade !== undefined && isOver(trade)
        ? [`${clientOrderId} is ${status} at the venue, and ${tradeId} is ${trade.phase}`]
        : [];
    });

type Trade = Evidence['trades'][number];

const legsOf = ({ request }: Trade): readonly string[] => request.legs.map(({ symbol }) => symbol);

/** Nothing is sold that is not held, a closed trade is flat, and its stated result is the ledger's. */
function moneyFaults(evidence: Evidence, trade: Trade, symbol: string, leg: number): readonly string[] {
  const { trade_id, phase, result } = trade;
  const { held, sold, pnl, lastPrice } = moneyOf(evidence, trade_id, symbol, leg);
  const what = `${trade_id} leg ${leg}`;
  const oversold = sold.gt(held) ? [`${what} sold ${sold.toFixed()} of ${held.toFixed()}`] : [];
  if (phase !== 'closed' && phase !== 'compensated') return oversold;
  const rest = held.minus(sold);
  const stated = new Big(result?.[leg]?.['pnl'] ?? 0);
  return [
    ...oversold,
    ...(isDust(rest, lastPrice) ? [] : [`${what} is ${phase} and holds ${rest.toFixed()}`]),
    ...(stated.eq(pnl) ? [] : [`${what} states a result of ${stated.toFixed()}, the ledger comes to ${pnl.toFixed()}`]),
  ];
}

/** What the venue says that a leg bought, sold and paid. */
function moneyOf(evidence: Evidence, tradeId: string, symbol: string, leg: number) {
  const [base, quote] = symbol.split('/');
  const fills = fillsOfOurs(evidence).filter(({ clientOrderId }) => {
    const intent = intentOf(evidence, clientOrderId);
    return intent?.trade_id === tradeId && intent.leg === String(leg);
  });
  const of = (side: string, pick: (fill: (typeof fills)[number]) => string) =>
    total(fills.filter((fill) => fill.side === side).map(pick));
  const feesIn = (asset: string | undefined) =>
    total(fills.filter(({ feeAsset }) => feeAsset === asset).map(({ fee }) => fee));
  return {
    lastPrice: fills.toSorted((a, b) => a.tradedAtMs - b.tradedAtMs).at(-1)?.price ?? '0',
    held: of('BUY', ({ quantity }) => quantity).minus(feesIn(base)),
    sold: of('SELL', ({ quantity }) => quantity),
    pnl: of('SELL', ({ quoteQuantity }) => quoteQuantity)
      .minus(of('BUY', ({ quoteQuantity }) => quoteQuantity))
      .minus(feesIn(quote)),
  };
}

/** Reservations are conserved: reserved = posted + voided + pending; after quiescence pending = 0. */
export const I16: Check = ({ reservations, trades, orders }) =>
  judgeEach(reservations, ({ trade_id, leg, quantity, posted_quantity, voided_quantity }) => {
    const pending = new Big(quantity).minus(posted_quantity).minus(voided_quantity);
    if (pending.lt(0)) return [`${trade_id} leg ${leg} gave back more than was reserved`];
    if (trades.some((trade) => trade.trade_id === trade_id && isOver(trade)) && !pending.eq(0))
      return [`${trade_id} is over and still reserves ${pending.toFixed()}`];
    const isParked = orders.some(
      (order) =>
        order.trade_id === trade_id && order.leg === leg && order.purpose === 'entry' && order.status === 'parked',
    );
    return isParked && !new Big(quantity).minus(voided_quantity).eq(quantity)
      ? [`${trade_id} leg ${leg} is parked and has given back ${voided_quantity} of ${quantity}`]
      : [];
  });
