import { accountTradesSchema, ordersSchema } from '../../contracts/schemas/binance.ts';
import type { Clock } from '../clock.ts';
import type { Venue } from '../venue.ts';
import { accountFillOf, fillOf, orderOf } from './parse.ts';
import { createTimestamps, type Read } from './reads.ts';
import { endpoints } from './rest.ts';
import type { Parameters } from './sign.ts';
import { type SymbolNames, venueSymbolOf } from './symbols.ts';
import type { VenueClock } from './venue-clock.ts';

export type OrderReadsDependencies = {
  readonly read: Read;
  readonly clock: Clock;
  readonly venueClock: VenueClock;
  readonly names: SymbolNames;
};

const dayMs = 86_400_000;
const pageRows = 1000;

/** Orders and fills as the venue lists them. */
export function createOrderReads(
  dependencies: OrderReadsDependencies,
): Pick<Venue, 'fillsOf' | 'fillsSince' | 'openOrders' | 'ordersSince'> {
  const { read, clock, venueClock, names } = dependencies;
  const signed = createTimestamps(venueClock);

  return {
    async fillsOf({ symbol, venueOrderId }) {
      const wanted = { symbol: venueSymbolOf(symbol), orderId: venueOrderId, limit: pageRows };
      const rows = await allPages(async (fromId) => {
        const parameters = await signed({ ...wanted, ...(fromId === null ? {} : { fromId }) });
        return await read(endpoints.orderTrades, accountTradesSchema, parameters, 'cancel');
      }, idOf);
      return rows.map(fillOf);
    },

    async fillsSince(symbol, sinceMs) {
      const wanted = { symbol: venueSymbolOf(symbol), limit: pageRows };
      const ask = async (range: Parameters) =>
        await read(endpoints.symbolTrades, accountTradesSchema, await signed({ ...wanted, ...range }), 'report');
      const untilMs = await venueClock.nowMs();
      // A question about time covers a day at most; from the first fill on, ids lead further than times.
      for (let startTime = sinceMs; startTime <= untilMs; startTime += dayMs) {
        const endTime = Math.min(startTime + dayMs - 1, untilMs);
        const first = await ask({ startTime, endTime });
        const last = first.at(-1);
        if (last === undefined) continue;
        const isAll = endTime === untilMs && first.length < pageRows;
        const more = isAll ? [] : await allPages(async (fromId) => await ask({ fromId: fromId ?? last.id + 1 }), idOf);
        return [...first, ...more].map((raw) => accountFillOf(raw, symbol));
      }
      return [];
    },

    async openOrders(symbol, lane = 'cancel') {
      const observedAtMs = clock.nowMs();
      if (symbol !== undefined) {
        const parameters = await signed({ symbol: venueSymbolOf(symbol) });
        const rows = await read(endpoints.openOrders, ordersSchema, parameters, lane);
        return rows.map((raw) => orderOf(raw, { symbol, observedAtMs }));
      }
      const rows = await read(endpoints.allOpenOrders, ordersSchema, await signed({}), lane);
      if (rows.some((raw) => names.nameOf(raw.symbol) === undefined)) names.expire();
      await names.load();
      // An order in a symbol that even the venue's own list lacks is an order all the same: it keeps that spelling.
      return rows.map((raw) => orderOf(raw, { symbol: names.nameOf(raw.symbol) ?? raw.symbol, observedAtMs }));
    },

    async ordersSince(symbol, sinceMs, lane = 'report') {
      const observedAtMs = clock.nowMs();
      const startTime = Math.max(sinceMs, (await venueClock.nowMs()) - dayMs);
      const wanted = { symbol: venueSymbolOf(symbol), limit: pageRows };
      const rows = await allPages(
        async (orderId) => {
          const parameters = await signed({ ...wanted, ...(orderId === null ? { startTime } : { orderId }) });
          return await read(endpoints.allOrders, ordersSchema, parameters, lane);
        },
        (raw) => Number(raw.orderId),
      );
      return rows.map((raw) => orderOf(raw, { symbol, observedAtMs }));
    },
  };
}

const idOf = ({ id }: { readonly id: number }): number => id;

/** Goes on behind the last id of a full page until a page is not full. */
async function allPages<T>(
  fetchPage: (fromId: number | null) => Promise<readonly T[]>,
  idOf: (row: T) => number,
): Promise<readonly T[]> {
  const rows: T[] = [];
  let fromId: number | null = null;
  for (;;) {
    const page = await fetchPage(fromId);
    rows.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < pageRows) return rows;
    fromId = idOf(last) + 1;
  }
}
