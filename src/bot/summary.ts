import Table from 'cli-table3';
import { type Decimal, sum, type TradeView } from '../client/index.ts';
import { averagePrice } from './narrate.ts';
import { signed } from './sentences.ts';

/** One closed trade as the summary shows it. */
export type ClosedTrade = {
  readonly tradeId: string;
  readonly entered: Decimal | null;
  readonly left: Decimal | null;
  readonly why: string;
  readonly pnl: Decimal;
  readonly pnlAsset: string;
};

/** What became of a trade that has ended; undefined when nothing of it was ever filled. */
export function closedTradeOf({ tradeId, phase, result }: TradeView): ClosedTrade | undefined {
  const leg = result?.[0];
  if (phase !== 'closed' || leg === undefined) return undefined;
  return {
    tradeId,
    entered: averagePrice(leg.entryQuote, leg.entryQuantity),
    left: averagePrice(leg.exitQuote, leg.exitQuantity),
    why: leg.exitReason,
    pnl: leg.pnl,
    pnlAsset: leg.pnlAsset,
  };
}

export const totalOf = (trades: readonly ClosedTrade[]): Decimal => sum(trades.map(({ pnl }) => pnl));

/** The table at the end: each closed trade, and what they come to after fees. */
export function summaryLines(trades: readonly ClosedTrade[]): readonly string[] {
  if (trades.length === 0) return ['No trade was closed.'];
  const asset = trades[0]?.pnlAsset ?? '';
  const table = new Table({
    head: ['trade', 'entered at', 'left at', 'why', `P&L after fees (${asset})`],
    colAligns: ['left', 'right', 'right', 'left', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { tradeId, entered, left, why, pnl } of trades) {
    table.push([tradeId, entered ?? '-', left ?? '-', why, signed(pnl)]);
  }
  return [
    ...table.toString().split('\n'),
    `${trades.length} trades closed, in all ${signed(totalOf(trades))} ${asset}`,
  ];
}
