import { afterLook, newSweep, type SweepLook } from '../domain/cancel-sweep.ts';
import { isEntryOrderId } from '../venue/client-order-id.ts';
import type { Venue, VenueOrder } from '../venue/venue.ts';

export type EmergencyProgress = {
  readonly canceled: readonly string[];
  readonly left: readonly string[];
  readonly looks: number;
  readonly isClear: boolean;
  readonly nextLookAtMs: number;
};

type Sweeper = {
  readonly venue: Pick<Venue, 'openOrders' | 'cancelOrder'>;
  /** Only this one; every symbol without it. */
  readonly symbol?: string;
  readonly settleMs: number;
  readonly giveUpAtMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onProgress: (progress: EmergencyProgress) => void;
};

const requestsAtOnce = 10;

/**
 * Takes back entry orders with nothing but the venue: ours are known by their ids, exits are left alone. Ends when the
 * venue has said twice that none is left, or at the time to give up, with what is left. Nothing is booked here: the
 * account's watch hears it from the venue once the database is back.
 */
export async function sweepWithoutDatabase(sweeper: Sweeper): Promise<EmergencyProgress> {
  const { now, sleep, settleMs, giveUpAtMs, onProgress } = sweeper;
  const canceled = new Set<string>();
  let state = newSweep(now());
  for (;;) {
    const look = await lookOnce(sweeper, canceled);
    const plan = afterLook(state, look, { settleMs });
    ({ state } = plan);
    const { left, looks } = state;
    const { isFinished: isClear, nextLookAtMs } = plan;
    const progress = { canceled: [...canceled], left, looks, isClear, nextLookAtMs };
    onProgress(progress);
    if (isClear || nextLookAtMs > giveUpAtMs) return progress;
    await sleep(Math.max(0, nextLookAtMs - now()));
  }
}

async function lookOnce(sweeper: Sweeper, canceled: Set<string>): Promise<SweepLook> {
  const look = await lookAndCancel(sweeper, canceled);
  return { ...look, endedAtMs: sweeper.now() };
}

async function lookAndCancel(
  { venue, symbol, now }: Sweeper,
  canceled: Set<string>,
): Promise<Omit<SweepLook, 'endedAtMs'>> {
  const atMs = now();
  const nothing = { listed: [], notCanceled: [], unseen: [], awaited: [] };
  let open: readonly VenueOrder[];
  try {
    open = (await venue.openOrders(symbol)).filter(({ clientOrderId }) => isEntryOrderId(clientOrderId));
  } catch {
    return { atMs, ...nothing, isComplete: false };
  }
  const notCanceled: string[] = [];
  const retries: number[] = [];
  const queue = [...open];
  const cancelNext = async (): Promise<void> => {
    for (let order = queue.shift(); order !== undefined; order = queue.shift()) {
      const { clientOrderId } = order;
      const result = await venue.cancelOrder({ symbol: order.symbol, clientOrderId });
      if (result.outcome === 'ACCEPTED') canceled.add(clientOrderId);
      // "Unknown order" may mean that it has just filled: the next look says whether it still works.
      else notCanceled.push(clientOrderId);
      if (result.retryAtMs !== undefined) retries.push(result.retryAtMs);
    }
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, cancelNext));
  return {
    atMs,
    ...nothing,
    listed: open.map(({ clientOrderId }) => clientOrderId),
    notCanceled,
    isComplete: true,
    ...(retries.length > 0 && { retryAtMs: Math.max(...retries) }),
  };
}
