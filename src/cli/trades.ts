import Table from 'cli-table3';
import { summaryOf } from '../contracts/schemas/book-views.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { type TradePhase, type TradeSummary, tradePhase, tradeSummarySchema } from '../contracts/schemas/trade-view.ts';
import { listTrades } from '../store/trades/trades.ts';
import { exitCodes, print, tableStyle, utc } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions & {
  readonly live: boolean;
  readonly phase?: string;
  readonly strategy?: string;
  readonly symbol?: string;
  readonly limit: number;
};

/** `ratchet trades`: the newest first. */
export function run(options: Options): Promise<number> {
  const { live, strategy, symbol, limit } = options;
  const filter = { phase: phaseOf(options.phase), strategy, symbol, limit, ...(live && { live }) };
  return withDatabase(options, async (db) => {
    const trades = (await listTrades(db, filter)).map((trade) => tradeSummarySchema.parse(summaryOf(trade)));
    print(options, trades, tableOf(trades));
    return exitCodes.done;
  });
}

function phaseOf(text: string | undefined): TradePhase | undefined {
  const parsed = tradePhase.optional().safeParse(text);
  if (parsed.success) return parsed.data;
  throw new RatchetError('REQUEST_INVALID', { '--phase': `${text}, allowed: ${tradePhase.options.join(', ')}` });
}

function tableOf(trades: readonly TradeSummary[]): readonly string[] {
  if (trades.length === 0) return ['No trades.'];
  const table = new Table({
    head: ['trade', 'state', 'side', 'symbol', 'strategy', 'decided (UTC)', 'left by', 'P&L after fees'],
    ...tableStyle,
  });
  for (const { tradeId, phase, side, strategy, decidedAtMs, exitReason, pnl, pnlAsset, ...trade } of trades) {
    const profit = pnl === null ? '' : `${pnl} ${pnlAsset}`;
    const symbols = [trade.symbol, ...trade.otherSymbols].join(' + ');
    table.push([tradeId, phase, side, symbols, strategy, utc(decidedAtMs), exitReason ?? '', profit]);
  }
  return [table.toString()];
}
