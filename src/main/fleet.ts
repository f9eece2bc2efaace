import type { Logger } from 'pino';
import { RatchetError } from '../domain/errors.ts';
import type { Db } from '../store/database.ts';
import { holdWorkerLease, type LeaseOutcome, leaveWorkerLease, type WorkerSelf } from '../store/fleet/worker-leases.ts';
import { startRounds } from './rounds.ts';

type Fleet = {
  readonly db: Db;
  readonly self: WorkerSelf;
  /** RATCHET_BUILD_POLICY: whether one build alone may be at work. */
  readonly policy: 'single' | 'any';
  readonly logger: Logger;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** How long a worker counts as alive after it was last heard. */
  readonly leaseMs?: number;
};

/**
 * Joins the workers that are alive, or refuses to start: with another build where only one may be at work, and where one
 * of two could not read what the other one writes. It waits for as long as one that was killed still counts as alive.
 *
 * `refused` resolves when this worker has to end: it was not heard for so long that another build took its place.
 *
 * @throws RatchetError WORKER_BUILD_DIFFERS, WORKER_KEYS_DIFFER
 */
export async function joinFleet(
  fleet: Fleet,
): Promise<{ readonly refused: Promise<RatchetError>; readonly stop: () => Promise<void> }> {
  const { db, self, policy, logger, sleep, leaseMs = 10_000 } = fleet;
  const hold = () => holdWorkerLease(db, self, { leaseMs, singleBuild: policy === 'single' });
  const first = await untilHeld(hold, sleep, leaseMs);
  for (const { worker, build } of first.outcome === 'held' ? first.otherBuilds : []) {
    logger.warn({ build: self.build, other: worker, otherBuild: build }, 'workers of another build are at work');
  }
  const refusal = refusalOf(first, self);
  if (refusal !== undefined) throw refusal;

  const { promise: refused, resolve: refuse } = promiseOf<RatchetError>();
  const renew = async (): Promise<void> => {
    const later = refusalOf(await hold(), self);
    if (later !== undefined) refuse(later);
  };
  const renewing = startRounds({
    everyMs: leaseMs / 3,
    round: renew,
    // Whoever can't reach the database sends nothing either.
    onFault: (error) => logger.warn({ error }, 'the lease of this worker is not renewed'),
  });
  return {
    refused,
    stop: async () => {
      await renewing.stop();
      await leaveWorkerLease(db, self.worker).catch((error: unknown) =>
        logger.warn({ error }, 'the lease of this worker is left to run out'),
      );
    },
  };
}

/** The last answer, once it is the one that is wanted or nobody who was killed can stand in the way any more. */
async function untilHeld(
  hold: () => Promise<LeaseOutcome>,
  sleep: Fleet['sleep'],
  leaseMs: number,
): Promise<LeaseOutcome> {
  const tries = 5;
  for (let i = 0; ; i += 1) {
    const outcome = await hold();
    if (outcome.outcome === 'held' || i === tries) return outcome;
    await sleep(leaseMs / (tries - 1));
  }
}

function refusalOf(outcome: LeaseOutcome, self: WorkerSelf): RatchetError | undefined {
  switch (outcome.outcome) {
    case 'held':
      return undefined;
    case 'other-build':
      return new RatchetError('WORKER_BUILD_DIFFERS', {
        build: self.build,
        other: outcome.other.worker,
        otherBuild: outcome.other.build,
      });
    case 'key-missing':
      return new RatchetError('WORKER_KEYS_DIFFER', { key: outcome.key, other: outcome.other.worker });
  }
}

function promiseOf<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
