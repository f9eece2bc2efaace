import { readFileSync } from 'node:fs';
import { createApi } from '../client/api.ts';
import type { LastPrices } from '../contracts/schemas/book-views.ts';
import type { TradeView } from '../contracts/schemas/trade-view.ts';
import type { Trade } from '../store/trades/trades.ts';
import type { Site } from './site.ts';

const answerWithinMs = 500;

/**
 * The prices that the API has of what is open. The book has none and this process hears none, so the page of a trade
 * goes without where the API of the stack does not answer at once, or is not known: whoever names a database of their
 * own means another stack than the one in the data folder.
 */
export async function lastPricesOf(trade: Trade, { config, stack }: Site): Promise<LastPrices> {
  if (!trade.positions.some(({ isOpen }) => isOpen) || stack === undefined || config.DATABASE_URL !== undefined) {
    return {};
  }
  try {
    const api = createApi({ url: stack.api.url, key: readFileSync(stack.api.keyFile, 'utf8').trim() });
    const path = `/v1/trades/${encodeURIComponent(trade.tradeId)}`;
    const { positions } = await api.get<TradeView>(path, { timeoutMs: answerWithinMs });
    return Object.fromEntries(
      positions.flatMap(({ symbol, unrealizedPnl: at }) =>
        at ? [[symbol, { price: at.price, ageMs: at.ageMs }]] : [],
      ),
    );
  } catch {
    return {};
  }
}
