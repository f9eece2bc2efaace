import { RatchetError } from '../../src/domain/errors.ts';
import type { AccountFill, Balance, Venue, VenueOrder } from '../../src/venue/venue.ts';

/** What a venue said, or why it could not be asked: that is no answer, and least of all an empty one. */
export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly detail: string };

export type VenueLists = {
  readonly balances: Read<readonly Balance[]>;
  /** When the balances were asked for. */
  readonly balancesAtMs: number;
  /** Every open order, and those of the symbols that were placed since; each once, as the venue last told it. */
  readonly orders: Read<readonly VenueOrder[]>;
  /** Every fill in the symbols since, whoever placed the order. */
  readonly fills: Read<readonly AccountFill[]>;
};

/** Reads all lists of the account that are compared. Nothing of it changes anything at the venue. */
export async function readLists(
  venue: Venue,
  {
    symbols,
    sinceMs,
    now,
  }: { readonly symbols: readonly string[]; readonly sinceMs: number; readonly now: () => number },
): Promise<VenueLists> {
  const balancesAtMs = now();
  const balances = await tryRead(() => venue.balances());
  const open = await tryRead(() => venue.openOrders(undefined, 'report'));
  const known = [...new Set([...symbols, ...(open.ok ? open.value.map(({ symbol }) => symbol) : [])])];
  const recent = await tryRead(async () => {
    const orders: VenueOrder[] = [];
    for (const symbol of known) orders.push(...(await venue.ordersSince(symbol, sinceMs)));
    return orders;
  });
  const fills = await tryRead(async () => {
    const listed: AccountFill[] = [];
    for (const symbol of known) listed.push(...(await venue.fillsSince(symbol, sinceMs)));
    return listed;
  });
  return { balances, balancesAtMs, orders: joined(open, recent), fills };
}

function joined(open: Read<readonly VenueOrder[]>, recent: Read<readonly VenueOrder[]>): Read<readonly VenueOrder[]> {
  if (!open.ok) return open;
  if (!recent.ok) return recent;
  // The second list is the later one.
  const byId = new Map(
    [...open.value, ...recent.value].map((order) => [`${order.symbol}:${order.venueOrderId}`, order]),
  );
  return { ok: true, value: [...byId.values()] };
}

async function tryRead<Value>(read: () => Promise<Value>): Promise<Read<Value>> {
  try {
    return { ok: true, value: await read() };
  } catch (error) {
    if (!(error instanceof RatchetError)) throw error;
    return { ok: false, detail: error.message };
  }
}
