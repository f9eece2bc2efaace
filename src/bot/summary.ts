import Table from 'cli-table3';
import { type Decimal, decimal, type PositionClosed, sum, type TradeView } from '../client/index.ts';
import { averagePrice } from './narrate.ts';
import { signed } from './sentences.ts';

/** One closed trade as the summary shows it: what was bought or sold of each leg, and what that came to after fees. */
export type ClosedTrade = { readonly tradeId: string; readonly legs: readonly ClosedLeg[] };

export type ClosedLeg = {
  readonly symbol: string;
  readonly entered: Decimal | null;
  readonly left: Decimal | null;
  readonly why: string;
  readonly pnl: Decimal;
  readonly pnlAsset: string;
};

/** What became of a trade that has ended; undefined when nothing of it was ever filled. */
export function closedTradeOf({ tradeId, phase, result }: TradeView): ClosedTrade | undefined {
  if (phase !== 'closed' || result === null) return undefined;
  return { tradeId, legs: result.map(closedLegOf) };
}

const closedLegOf = (leg: PositionClosed): ClosedLeg => ({
  symbol: leg.symbol,
  entered: averagePrice(leg.entryQuote, leg.entryQuantity),
  left: averagePrice(leg.exitQuote, leg.exitQuantity),
  why: leg.exitReason,
  pnl: leg.pnl,
  pnlAsset: leg.pnlAsset,
});

/** What all trades come to, by the asset that it is counted in. */
export function totalsOf(trades: readonly ClosedTrade[]): Readonly<Record<string, Decimal>> {
  const totals = new Map<string, Decimal>();
  for (const { pnl, pnlAsset } of trades.flatMap(({ legs }) => legs)) {
    totals.set(pnlAsset, sum([totals.get(pnlAsset) ?? zero, pnl]));
  }
  return Object.fromEntries(totals);
}

const zero = decimal('0');

/** The table at the end: each leg of each closed trade, and what they come to after fees. */
export function summaryLines(trades: readonly ClosedTrade[]): readonly string[] {
  if (trades.length === 0) return ['No trade was closed.'];
  const table = new Table({
    head: ['trade', 'symbol', 'entered at', 'left at', 'why', 'P&L after fees'],
    colAligns: ['left', 'left', 'right', 'right', 'left', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { tradeId, legs } of trades) {
    for (const { symbol, entered, left, why, pnl, pnlAsset } of legs) {
      table.push([tradeId, symbol, entered ?? '-', left ?? '-', why, `${signed(pnl)} ${pnlAsset}`]);
    }
  }
  const totals = Object.entries(totalsOf(trades)).map(([asset, pnl]) => `${signed(pnl)} ${asset}`);
  return [...table.toString().split('\n'), `${trades.length} trades closed, in all ${totals.join(' and ')}`];
}
