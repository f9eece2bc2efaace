import { ApplicationFailure } from '@temporalio/common';
import { type ListedOrder, planCancels, type SweepLook } from '../../src/domain/cancel-sweep.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { isClosed } from '../../src/domain/order.ts';
import type { Sweep } from '../../src/store/trading-state/cancel-sweeps.ts';
import { readSweepBook, type SweepBook } from '../../src/store/trading-state/sweep-orders.ts';
import type { VenueOrder } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { inParallel } from '../in-parallel.ts';
import { applyAnswer } from '../orders/apply-answer.ts';
import { cancelAtVenue } from '../orders/cancel-order.ts';
import { roomOf } from '../rooms.ts';

export type SweepDependencies = Pick<
  ActivityDependencies,
  'db' | 'rooms' | 'timings' | 'holder' | 'now' | 'sleep' | 'logger'
>;

/** What has not answered by then counts as not done: people hear within five seconds what is left. */
const answerWithinMs = 2_000;
/** What could not be sent by then waits for the next look, for the same reason. */
const sendWithinMs = 2_000;
const requestsAtOnce = 10;

type Looked = { readonly look: SweepLook; readonly canceled: number };

/** Reads what is open at the venue, cancels what of it is in the scope, and says what it could not show to be gone. */
export async function lookAndCancel(deps: SweepDependencies, sweep: Sweep): Promise<Looked> {
  const room = roomOf(deps, sweep.venue);
  const atMs = deps.now();
  const read = await readOpen(deps, room, sweep);
  const book = await readSweepBook(deps.db, { ...sweep, listed: read.orders.map((order) => order.clientOrderId) });
  const open = read.orders.map(({ clientOrderId, symbol }) => ({
    clientOrderId,
    symbol,
    isInScope: book.entries.has(clientOrderId),
  }));
  const listed = open.filter(({ isInScope }) => isInScope).map(({ clientOrderId }) => clientOrderId);
  const done = await cancelListed(deps, room, open, book, atMs + sendWithinMs);
  const isUnread = (symbol: string) => read.unread === 'everything' || read.unread.includes(symbol);
  const unseen = book.working.filter(
    ({ clientOrderId, symbol }) => isUnread(symbol) && !listed.includes(clientOrderId),
  );
  const retryAtMs = latest([read.retryAtMs, done.retryAtMs]);
  return {
    canceled: listed.length - done.notCanceled.length,
    look: {
      atMs,
      endedAtMs: deps.now(),
      listed,
      notCanceled: done.notCanceled,
      unseen: unseen.map(({ clientOrderId }) => clientOrderId),
      isComplete: read.isComplete,
      awaited: book.awaited,
      ...(retryAtMs !== undefined && { retryAtMs }),
    },
  };
}

type Read = {
  readonly orders: readonly VenueOrder[];
  /** Symbols that could not be read. */
  readonly unread: readonly string[] | 'everything';
  /** Whether nothing that is open can be missing. */
  readonly isComplete: boolean;
  readonly retryAtMs?: number | undefined;
};

/** All open orders in one request; where that fails, by symbol, so that one that fails does not hide the others. */
async function readOpen(deps: SweepDependencies, room: VenueRoom, sweep: Sweep): Promise<Read> {
  const only = sweep.scope.kind === 'symbol' ? sweep.scope.id : undefined;
  const read = (symbol?: string) => inTime(deps, room.venue.openOrders(symbol));
  try {
    return { orders: await read(only), unread: [], isComplete: true };
  } catch (error) {
    const retryAtMs = retryAtOf(error);
    deps.logger.warn({ error, venue: room.venue.name }, 'open orders can not be read');
    if (only !== undefined) return { orders: [], unread: [only], isComplete: false, retryAtMs };
    if (retryAtMs !== undefined) return { orders: [], unread: 'everything', isComplete: false, retryAtMs };
  }
  const { working } = await readSweepBook(deps.db, { ...sweep, listed: [] });
  const symbols = [...new Set(working.map(({ symbol }) => symbol))];
  const unread: string[] = [];
  const orders = await inParallel(symbols, requestsAtOnce, (symbol) =>
    read(symbol).catch(() => {
      unread.push(symbol);
      return [];
    }),
  );
  // A symbol that the book knows nothing of was not looked at: it takes the whole list to say that nothing is left.
  return { orders: orders.flat(), unread, isComplete: false };
}

type Done = { readonly notCanceled: readonly string[]; readonly retryAtMs: number | undefined };

async function cancelListed(
  deps: SweepDependencies,
  room: VenueRoom,
  open: readonly ListedOrder[],
  book: SweepBook,
  sendUntilMs: number,
): Promise<Done> {
  const { symbols, single } = planCancels(open, (symbol) => !book.heldSymbols.has(symbol));
  const failed = new Set<string>();
  const retries: (number | undefined)[] = [];
  const fail = (ids: readonly string[], error: unknown): void => {
    for (const id of ids) failed.add(id);
    retries.push(retryAtOf(error, deps.now()));
    deps.logger.warn({ error, clientOrderIds: ids }, 'entry orders could not be canceled yet');
  };
  const isTooLate = () => deps.now() > sendUntilMs;
  const bySymbol = symbols.map((symbol) => async () => {
    const ids = open.filter((one) => one.symbol === symbol).map((one) => one.clientOrderId);
    if (isTooLate()) return fail(ids, undefined);
    await inTime(deps, cancelSymbol(deps, room, symbol, ids)).then(
      (left) => left.length > 0 && fail(left, undefined),
      (error) => fail(ids, error),
    );
  });
  const oneByOne = single.map((id) => async () => {
    const order = book.entries.get(id);
    if (order === undefined) return;
    if (isTooLate()) return fail([id], undefined);
    const canceled = inTime(deps, cancelAtVenue(deps, order));
    await canceled.then(
      ({ status }) => !isClosed(status) && fail([id], undefined),
      (error) => fail([id], error),
    );
  });
  await inParallel([...bySymbol, ...oneByOne], requestsAtOnce, (cancel) => cancel());
  return { notCanceled: [...failed], retryAtMs: latest(retries) };
}

/** Cancels a symbol in one request and commits what became of each order. Returns those that were not named. */
async function cancelSymbol(
  deps: SweepDependencies,
  room: VenueRoom,
  symbol: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  const result = await room.venue.cancelAllOf(symbol);
  const { outcome, detail, retryAtMs } = result;
  if (outcome !== 'ACCEPTED') {
    throw new RatchetError('VENUE_UNAVAILABLE', { outcome, detail, ...(retryAtMs !== undefined && { retryAtMs }) });
  }
  const ours = result.orders.filter(({ clientOrderId }) => ids.includes(clientOrderId));
  await inParallel(ours, requestsAtOnce, (order) => applyAnswer(deps, room, order, 'cancel'));
  return ids.filter((id) => !ours.some(({ clientOrderId }) => clientOrderId === id));
}

/** What comes too late is not thrown away: the book gets it when it comes, and the next look sees it. */
function inTime<Result>({ sleep }: SweepDependencies, asked: Promise<Result>): Promise<Result> {
  const over = new AbortController();
  const tooLate = sleep(answerWithinMs, over.signal).then(() => {
    throw new RatchetError('VENUE_UNAVAILABLE', { detail: `no answer within ${answerWithinMs} ms` });
  });
  asked.catch(() => undefined);
  tooLate.catch(() => undefined);
  return Promise.race([asked, tooLate]).finally(() => over.abort());
}

/** When the venue may be asked again, as far as the failure says so. */
function retryAtOf(error: unknown, nowMs = 0): number | undefined {
  if (error instanceof RatchetError) {
    const { retryAtMs } = error.context;
    return typeof retryAtMs === 'number' ? retryAtMs : undefined;
  }
  if (error instanceof ApplicationFailure && typeof error.nextRetryDelay === 'number') {
    return nowMs + error.nextRetryDelay;
  }
  return undefined;
}

function latest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((atMs) => atMs !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
