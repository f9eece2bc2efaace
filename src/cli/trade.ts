import { setTimeout as delay } from 'node:timers/promises';
import { recordOf, viewOf } from '../contracts/schemas/book-views.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { type TradeRecord, type TradeView, tradeViewSchema } from '../contracts/schemas/trade-view.ts';
import type { Db } from '../store/database.ts';
import { readDecision } from '../store/trades/decisions.ts';
import { tradeRecords } from '../store/trades/trade-records.ts';
import { readTrade } from '../store/trades/trades.ts';
import { lastPricesOf } from './last-prices.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, type Site, withDatabase } from './site.ts';
import { recordLine, tradePage } from './trade-page.ts';

type Options = GlobalOptions & { readonly follow: boolean };

const pageSize = 500;
const lookEveryMs = 250;
const finalPhases: ReadonlySet<string> = new Set(['denied', 'closed', 'unfilled']);

/** `ratchet trade <tradeId>`: all that the book has of it; with `--follow`, its records as they come. */
export function run(options: Options, tradeId: string): Promise<number> {
  return withDatabase(options, async (db, site) => {
    if (options.follow) await follow(db, tradeId, options.json);
    const view = await readView(db, tradeId, site);
    // Who has followed it has seen the records.
    const records = options.follow ? [] : await recordsAfter(db, tradeId, 0);
    print(options, { ...view, ...(options.follow ? {} : { records }) }, tradePage(view, records));
    return exitCodes.done;
  });
}

async function readView(db: Db, tradeId: string, site: Site): Promise<TradeView> {
  const { config, stack } = site;
  const trade = await readTrade(db, tradeId);
  if (trade === undefined) throw new RatchetError('TRADE_UNKNOWN', { tradeId });
  const uiUrl = config.RATCHET_TEMPORAL_UI_URL ?? stack?.temporal.uiUrl;
  const temporalUi = { uiUrl, namespace: stack?.temporal.namespace ?? 'default' };
  return tradeViewSchema.parse(viewOf(trade, temporalUi, await lastPricesOf(trade, site)));
}

async function recordsAfter(db: Db, tradeId: string, after: number): Promise<readonly TradeRecord[]> {
  const records: TradeRecord[] = [];
  for (;;) {
    const page = await tradeRecords(db, tradeId, { no: records.at(-1)?.no ?? after, limit: pageSize });
    records.push(...page.map(recordOf));
    if (page.length < pageSize) return records;
  }
}

async function follow(db: Db, tradeId: string, json: boolean): Promise<void> {
  for (let last = 0; ; ) {
    const trade = await readDecision(db, tradeId);
    if (trade === undefined) throw new RatchetError('TRADE_UNKNOWN', { tradeId });
    for (const record of await recordsAfter(db, tradeId, last)) {
      last = record.no;
      process.stdout.write(`${json ? JSON.stringify(record) : recordLine(record)}\n`);
    }
    if (finalPhases.has(trade.phase)) return;
    await delay(lookEveryMs);
  }
}
