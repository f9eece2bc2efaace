import { setTimeout } from 'node:timers/promises';
import type { MarketWatchInput } from '../../src/contracts/messages/messages.ts';
import { crashPoint } from '../../src/observability/crash-point.ts';
import { leaveShard, loadShard, renewLease, type ShardLease, takeShard } from '../../src/store/guards/guards.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { roomOf } from '../rooms.ts';
import { type MarketEyes, openMarketEyes } from './market-eyes.ts';

const tickMs = 50;
const checkpointEveryMs = 250;
const leaseEveryMs = 1_000;
const leaseMs = 5_000;
const idleMs = 5_000;
/** It hands back from time to time, so that its workflow's history can be continued as new. */
const stintMs = 6 * 3_600_000;

/**
 * The eyes of every position of one shard, in one loop: each trade of the venue goes through the same pure steps that
 * the tests use; what changed is checkpointed every quarter of a second; a trigger is committed at once, with the exit
 * it asks for. One writer: it first raises the shard's epoch, and every write is conditional on it, so an attempt that
 * was given up for dead writes nothing more. It returns when nothing is armed, or when it is time to hand over.
 */
export const createWatchMarket = (deps: ActivityDependencies) =>
  function watchMarket({ venue, shard }: MarketWatchInput): Promise<'nothing-armed' | 'hand-over'> {
    return whileBeating(async (signal) => {
      const { db, now, holder } = deps;
      const lease = { shard, epoch: await takeShard(db, { shard, holder, leaseUntilMs: now() + leaseMs }) };
      const eyes = openMarketEyes(deps, roomOf(deps, venue), lease);
      const duties = dutiesOf(deps, lease, eyes);
      try {
        const endAtMs = now() + stintMs;
        let idleSinceMs = now();
        while (!signal.aborted && now() < endAtMs) {
          await duties.doWhatIsDue();
          crashPoint('whileWatching');
          if (eyes.armed() > 0) idleSinceMs = now();
          if (now() - idleSinceMs > idleMs && (await leaveShard(db, lease))) return 'nothing-armed';
          await setTimeout(tickMs);
        }
        await eyes.checkpoint();
        return 'hand-over';
      } finally {
        duties.stop();
        await eyes.close();
      }
    });
  };

/** What the watch does beside looking: take up what changed, fill gaps, write down, and keep its lease. */
function dutiesOf({ db, now, onGuardsChanged }: ActivityDependencies, lease: ShardLease, eyes: MarketEyes) {
  let isReloadDue = true;
  const stop = onGuardsChanged(() => {
    isReloadDue = true;
  });
  const reload = async (): Promise<void> => {
    if (!isReloadDue) return;
    isReloadDue = false;
    await eyes.reload(await loadShard(db, { shard: lease.shard }));
  };
  const renew = async (): Promise<void> => {
    await renewLease(db, { ...lease, leaseUntilMs: now() + leaseMs });
    // An announcement may be lost, so the shard is read from time to time all the same.
    isReloadDue = true;
  };
  const duties = [
    reload,
    async () => eyes.catchUp(),
    every(now, checkpointEveryMs, eyes.checkpoint),
    every(now, leaseEveryMs, renew),
  ];
  return {
    stop,
    async doWhatIsDue(): Promise<void> {
      for (const duty of duties) await duty();
    },
  };
}

/** The work, done when it is called for the first time and then not again before so many milliseconds have passed. */
function every(now: () => number, periodMs: number, work: () => Promise<void>): () => Promise<void> {
  let dueAtMs = 0;
  return async () => {
    if (now() < dueAtMs) return;
    dueAtMs = now() + periodMs;
    await work();
  };
}
