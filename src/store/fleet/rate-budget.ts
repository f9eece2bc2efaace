import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { SharedRates, SharedSettlement, SharedTake } from '../../contracts/messages/shared-rates.ts';
import { backoffMs } from '../../domain/backoff.ts';
import { invariant } from '../../domain/invariant.ts';
import type { RatePause } from '../../domain/rate-limit.ts';
import type { Db } from '../database.ts';

export type SharedRatesSettings = {
  readonly db: Db;
  readonly venue: string;
  /** Names this process beside the pauses that it was told. */
  readonly holder: string;
  /** Calls back when some process was told to pause. Returns the way to stop. */
  readonly onAnnounced: (announced: () => void) => () => void;
  /** What could not be told or read first, each time that the database is away. It is tried again. */
  readonly onError: (error: unknown) => void;
};

type PauseRow = {
  readonly scope: RatePause['scope'];
  readonly until_ms: number;
  readonly is_ban: boolean;
  readonly reason: string;
};

const settleEveryMs = 20;
const retries = { baseMs: 200, capMs: 5_000, factor: 2 };
/** An announcement can get lost with its connection, so pauses are also read at this pace. */
const lookEveryMs = 2_000;

export type StoredRates = SharedRates & {
  /** Once the pauses have been read that were in force when this process began, or could not be. */
  looked(): Promise<void>;
  close(): Promise<void>;
};

/** The counts and pauses that all processes share, in PostgreSQL. `close` before the database is. */
export function createSharedRates(settings: SharedRatesSettings): StoredRates {
  const { db, venue, holder, onAnnounced } = settings;
  const onError = oncePerOutage(settings.onError);
  const listeners = new Set<(pauses: readonly RatePause[]) => void>();
  const closing = new AbortController();
  const settler = createSettler(db, venue, onError);
  const telling = new Set<Promise<void>>();

  let looking: Promise<void> = Promise.resolve();
  const read = async (): Promise<void> => {
    if (closing.signal.aborted) return;
    try {
      const rows = await db.selectFrom('rate_pause').selectAll().where('venue', '=', venue).execute();
      onError(null);
      for (const listener of listeners) listener(rows.map(pauseOf));
    } catch (error) {
      onError(error);
    }
  };

  const tell = async ({ scope, untilMs, isBan, reason }: RatePause): Promise<void> => {
    for (let attempt = 0; !closing.signal.aborted; attempt += 1) {
      try {
        await sql`select pause_rate(${venue}, ${scope}, ${untilMs}, ${isBan}, ${reason}, ${holder})`.execute(db);
        return;
      } catch (error) {
        onError(error);
        await sleep(backoffMs({ ...retries, attempt }), undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  };

  // One look after the other, so that what was read first is not told last, and never more than one to come.
  let isLookDue = false;
  const look = (): void => {
    if (isLookDue) return;
    isLookDue = true;
    looking = looking.then(() => {
      isLookDue = false;
      return read();
    });
  };
  const silence = onAnnounced(look);
  const pulse = setInterval(look, lookEveryMs);
  pulse.unref();

  return {
    async take({ charges, scopes, yieldMs, venueNowMs }) {
      const { rows } = await sql<TakeRow>`
        select (taken).outcome, (taken).kind, (taken).window_ms, to_jsonb((taken).pause) as pause
        from take_rate(${venue}, ${venueNowMs}, ${scopes}, ${yieldMs}, ${JSON.stringify(charges)}::jsonb) as taken
      `.execute(db);
      return takeOf(rows[0]);
    },
    settle: settler.add,
    pause(pause) {
      const told = tell(pause).finally(() => telling.delete(told));
      telling.add(told);
    },
    onPauses(listener) {
      listeners.add(listener);
      look();
      return () => listeners.delete(listener);
    },
    looked: () => looking,
    async close() {
      closing.abort();
      clearInterval(pulse);
      silence();
      await Promise.all([settler.close(), looking, ...telling]);
    },
  };
}

type TakeRow = {
  readonly outcome: string;
  readonly kind: string;
  readonly window_ms: number;
  readonly pause: PauseRow | null;
};

function takeOf(row: TakeRow | undefined): SharedTake {
  if (row?.pause && row.outcome === 'paused') return { outcome: 'paused', pause: pauseOf(row.pause) };
  if (row?.outcome === 'overdrawn') return { outcome: 'overdrawn', kind: row.kind, windowMs: row.window_ms };
  invariant(row?.outcome === 'granted', `a take is granted, overdrawn or paused, was ${row?.outcome}`);
  return { outcome: 'granted' };
}

/** Tells the first error of an outage; null, that it works, ends one. A database that is away is away many times a second. */
function oncePerOutage(tell: (error: unknown) => void): (error: unknown) => void {
  let isAway = false;
  return (error) => {
    if (error !== null && !isAway) tell(error);
    isAway = error !== null;
  };
}

const pauseOf = ({ scope, until_ms, is_ban, reason }: PauseRow): RatePause => ({
  scope,
  untilMs: until_ms,
  isBan: is_ban,
  reason,
});

type Sum = Pick<SharedSettlement, 'kind' | 'windowMs' | 'startMs'> & {
  readonly taken: number;
  readonly reported: number | null;
  readonly reportedAtMs: number | null;
  readonly added: number;
  readonly cost: number;
  readonly settledAtMs: number;
};

/** Adds up what has been settled and tells it in one statement at a time, however many requests there were. */
function createSettler(db: Db, venue: string, onError: (error: unknown) => void) {
  const sums = new Map<string, Sum>();
  let timer: NodeJS.Timeout | undefined;
  let telling: Promise<void> | undefined;

  const tell = async (): Promise<void> => {
    const told = JSON.stringify([...sums.values()]);
    sums.clear();
    try {
      await sql`select settle_rate(${venue}, ${told}::jsonb)`.execute(db);
    } catch (error) {
      onError(error);
    }
  };
  const plan = (): void => {
    if (timer !== undefined || telling !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      telling = tell().finally(() => {
        telling = undefined;
        if (sums.size > 0) plan();
      });
    }, settleEveryMs);
  };

  return {
    add(settlements: readonly SharedSettlement[]): void {
      for (const one of settlements) {
        const key = `${one.kind}/${one.windowMs}/${one.startMs}`;
        sums.set(key, addUp(sums.get(key), one));
      }
      if (sums.size > 0) plan();
    },
    async close(): Promise<void> {
      clearTimeout(timer);
      await telling;
      if (sums.size > 0) await tell();
    },
  };
}

/** A count of the venue's has what was sent before it; what is answered without one comes on top. */
function addUp(sum: Sum | undefined, settlement: SharedSettlement): Sum {
  const { wasTaken, reported, answeredAtMs, cost, kind, windowMs, startMs } = settlement;
  const { taken = 0, added = 0 } = sum ?? {};
  return {
    kind,
    windowMs,
    startMs,
    taken: taken + (wasTaken ? cost : 0),
    reported: reported ?? sum?.reported ?? null,
    reportedAtMs: reported === null ? (sum?.reportedAtMs ?? null) : answeredAtMs,
    added: reported === null ? added + cost : 0,
    cost: (sum?.cost ?? 0) + cost,
    settledAtMs: Math.max(sum?.settledAtMs ?? 0, answeredAtMs),
  };
}
