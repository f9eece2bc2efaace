import { setTimeout as delay } from 'node:timers/promises';
import type { TradeRecord } from '../contracts/schemas/trade-view.ts';
import type { Api } from './api.ts';
import { RatchetClientError } from './client-error.ts';

/** `isOver`: the trade has ended and these were its last records. */
type RecordsPage = { readonly records: readonly TradeRecord[]; readonly isOver: boolean };

const waitMs = 20_000;
const retryMs = 1_000;

/**
 * The trade's records in order, those to come included, until the trade has ended. It outlives an API that is away for
 * a while. `after` is the `no` of the last record that is known already.
 */
export async function* followTrade(
  api: Api,
  tradeId: string,
  { after = 0, signal }: { readonly after?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<TradeRecord, void, undefined> {
  let last = after;
  while (!signal?.aborted) {
    const page = await nextPage(api, tradeId, last, signal);
    for (const record of page.records) {
      last = record.no;
      yield record;
    }
    if (page.isOver) return;
  }
}

async function nextPage(api: Api, tradeId: string, after: number, signal?: AbortSignal): Promise<RecordsPage> {
  const path = `/v1/trades/${encodeURIComponent(tradeId)}/records?after=${after}&waitMs=${waitMs}`;
  try {
    return await api.get<RecordsPage>(path, { timeoutMs: waitMs + 10_000, ...(signal && { signal }) });
  } catch (error) {
    if (signal?.aborted) return { records: [], isOver: true };
    if (!(error instanceof RatchetClientError && error.retryable)) throw error;
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
    return { records: [], isOver: false };
  }
}
