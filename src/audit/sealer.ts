import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type ErrorCode, RatchetError } from '../domain/errors.ts';
import { raiseAlert, resolveAlert } from '../store/alerts.ts';
import type { Db } from '../store/database.ts';
import type { SigningKey } from './checkpoint.ts';
import { countUnsealed, readHead, readNewestInsertNo, readWaiting, sealRecords } from './log.ts';
import { signNext } from './sign.ts';

type SealerOptions = {
  readonly db: Db;
  readonly checkpointKey: SigningKey;
  readonly checkpointDir: string;
  readonly logger: Logger;
  readonly metrics: SealerMetrics;
  /** Told once, when the record can't be trusted or kept any more. Whoever owns the process ends it. */
  readonly onFatal: (error: RatchetError) => void;
  readonly crashPoint?: (name: 'sealSent' | 'afterSeal' | 'afterCheckpointFile') => void;
};

type SealerMetrics = {
  readonly recordsSealed: { inc(count: number): void };
  readonly sealLag: { set(seconds: number): void };
  readonly checkpointAge: { set(seconds: number): void };
};

export type Sealer = {
  start(): void;
  /**
   * Resolves with the checkpoint's size when all that is committed now is sealed and covered by a signed checkpoint.
   *
   * @throws RatchetError AUDIT_SEALING_LATE after 10 seconds
   */
  sealNow(): Promise<number>;
  /** The newest checkpoint that this process has signed or seen, for whoever keeps it in one more place. */
  newestNote(): string | undefined;
  /** Seals and signs what there is, as far as the database lets it, and ends. */
  stop(): Promise<void>;
};

const pauseMs = 80;
const pauseAfterFaultMs = 1_000;
const checkpointEveryMs = 1_000;
const lateMs = 1_000;
const sealNowLimitMs = 10_000;
const stopPatienceMs = 2_000;
const waitMs = 10;
/** Records a call of the sealing function: one call holds the head's lock for some tens of milliseconds. */
const batch = 1_000;

/** What nobody can go on from: trying again would not help, or would sign what is not true. */
const fatalCodes = [
  'AUDIT_CHAIN_BROKEN',
  'AUDIT_TAIL_LOST',
  'AUDIT_CHECKPOINT_UNTRUSTED',
  'AUDIT_CHECKPOINT_NOT_WRITTEN',
] as const satisfies readonly ErrorCode[];
type FatalError = RatchetError & { readonly code: (typeof fatalCodes)[number] };
const isFatal = (error: unknown): error is FatalError =>
  error instanceof RatchetError && fatalCodes.some((code) => code === error.code);

/**
 * Gives committed records their place in the chain, at most 100 ms after the commit, and signs a checkpoint a second
 * while there is something new. Every process may run one: the database lets one at a time seal, and one sign.
 * Raises the alerts that belong to it: records that wait for more than a second, and a record that can't be trusted.
 */
export function createSealer(options: SealerOptions): Sealer {
  const steps = createSteps(options);
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const survive = async (error: unknown): Promise<false> => {
    options.logger.error({ err: error }, 'records not sealed');
    if (!isFatal(error) || stopping.signal.aborted) return false;
    stopping.abort();
    await raiseFatal(options, error);
    options.onFatal(error);
    return false;
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const isFine = await steps.sealAndSign(false).then(() => true, survive);
      await sleep(isFine ? pauseMs : pauseAfterFaultMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  return {
    start() {
      running = loop();
    },
    async sealNow() {
      try {
        return await steps.sealAllOf(await readNewestInsertNo(options.db));
      } catch (error) {
        await survive(error);
        throw error;
      }
    },
    newestNote: steps.newestNote,
    async stop() {
      const hasFailed = stopping.signal.aborted;
      stopping.abort();
      await running;
      if (!hasFailed) await steps.sealAndSign(true).catch(survive);
    },
  };
}

function createSteps(options: SealerOptions) {
  const { db, metrics } = options;
  let seenSize = 0;
  let newestNote: string | undefined;
  let signedAtMs = Number.NEGATIVE_INFINITY;
  let lastLagMs = 0;
  let wasLate: boolean | undefined;
  let wasFull: boolean | undefined;

  async function seal(): Promise<number> {
    const sealed = await sealRecords(db, batch, () => options.crashPoint?.('sealSent'));
    if (sealed === 0) return 0;
    metrics.recordsSealed.inc(sealed);
    options.crashPoint?.('afterSeal');
    return sealed;
  }

  /** Whether there was something to sign, and nobody else who did it, within the patience to wait for whoever does. */
  async function sign(patienceMs = 0): Promise<boolean> {
    const untilMs = performance.now() + patienceMs;
    let hasSigned = false;
    for (let more = true; more; ) {
      const signed = await signNext({ ...options, key: options.checkpointKey, seenSize });
      if (signed.outcome === 'busy') {
        more = performance.now() < untilMs;
        if (more) await sleep(waitMs);
        continue;
      }
      ({ size: seenSize, note: newestNote } = signed);
      hasSigned ||= signed.outcome === 'signed';
      more = signed.outcome === 'signed' && signed.more;
    }
    return hasSigned;
  }

  /** Without room for checkpoints records are sealed all the same: their tail waits for the disk, and people are told. */
  async function signIfThereIsRoom(patienceMs: number): Promise<void> {
    const result = await sign(patienceMs).catch(whereFull);
    signedAtMs = performance.now();
    const isFull = result instanceof RatchetError;
    // Where another process signed, this one has learned nothing of the disk.
    if (isFull === wasFull || result === false) return;
    const alert = { condition: 'audit-checkpoint-space', nowMs: Date.now() };
    if (isFull) {
      const { context } = result;
      await raiseAlert(db, { ...alert, code: 'AUDIT_CHECKPOINT_NO_SPACE', severity: 'CRITICAL', context });
    } else await resolveAlert(db, alert);
    wasFull = isFull;
  }

  async function tellOfLag(lagMs: number, uncoveredMs: number): Promise<void> {
    metrics.sealLag.set(lagMs / 1_000);
    metrics.checkpointAge.set(uncoveredMs / 1_000);
    // What was left by the end of another process is old when it is first seen, and sealed before the second look.
    const isLate = Math.min(lagMs, lastLagMs) > lateMs;
    lastLagMs = lagMs;
    if (isLate === wasLate) return;
    // Also once at the start: whoever raised it may have died before it was over.
    const alert = { condition: 'audit-sealing', nowMs: Date.now() };
    if (isLate) {
      const context = { lagMs: Math.round(lagMs) };
      await raiseAlert(db, { ...alert, code: 'AUDIT_SEALING_LATE', severity: 'WARNING', context });
    } else await resolveAlert(db, alert);
    wasLate = isLate;
  }

  return {
    newestNote: () => newestNote,

    async sealAndSign(isLast: boolean): Promise<void> {
      const { unsealedMs, uncoveredMs } = await readWaiting(db);
      if (unsealedMs !== null) while ((await seal()) === batch);
      const isDue = isLast || performance.now() - signedAtMs >= checkpointEveryMs;
      // Whoever is signing at the end may have begun before our last records were sealed, and end as well.
      const patienceMs = isLast ? stopPatienceMs : 0;
      if (isDue && (unsealedMs !== null || uncoveredMs !== null)) await signIfThereIsRoom(patienceMs);
      await tellOfLag(unsealedMs ?? 0, uncoveredMs ?? 0);
    },

    async sealAllOf(newestInsertNo: number): Promise<number> {
      const untilMs = performance.now() + sealNowLimitMs;
      // Another process may be sealing or signing at the moment: then there is nothing to do but look again.
      const again = async (): Promise<void> => {
        if (performance.now() > untilMs) throw new RatchetError('AUDIT_SEALING_LATE', { limitMs: sealNowLimitMs });
        await sleep(waitMs);
      };
      while ((await countUnsealed(db, newestInsertNo)) > 0) if ((await seal()) === 0) await again();
      const { lastSeq } = await readHead(db);
      await sign();
      while (seenSize < lastSeq) {
        await again();
        await sign();
      }
      return seenSize;
    },
  };
}

function whereFull(error: unknown): RatchetError {
  if (error instanceof RatchetError && error.code === 'AUDIT_CHECKPOINT_NO_SPACE') return error;
  throw error;
}

// The alert is for people; the process ends whether the database takes it or not.
async function raiseFatal({ db, logger }: SealerOptions, { code, context }: FatalError): Promise<void> {
  const alert = { condition: `audit-${code}`, code, severity: 'CRITICAL', context, nowMs: Date.now() } as const;
  await raiseAlert(db, alert).catch((error: unknown) => logger.error({ err: error }, 'alert not raised'));
}
