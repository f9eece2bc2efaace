import { joinGuards } from '../../src/domain/guard.ts';
import { createSymbolEyes, type Seen, type SymbolEyes } from '../../src/prices/symbol-eyes.ts';
import {
  type ArmedGuard,
  acknowledgeGuards,
  checkpointGuards,
  type ShardLease,
} from '../../src/store/guards/guards.ts';
import { createUrgentLane } from '../../src/venue/urgent-lane.ts';
import type { Lane } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { openTriggerCommits } from './commit-triggers.ts';
import { createUnwrittenChanges } from './unwritten-changes.ts';

const cursorsEveryMs = 1_000;
const ownGapMs = 300;
const pageRows = 1_000;
// The list may lag behind the stream, so an empty answer is no proof: it is asked again after twice the pause each time.
// What it still does not have at the fifth, nine seconds after the gap was seen, does not exist: stops move again.
const emptyAnswersMax = 5;

type Missing = { readonly afterId: number; readonly sinceMs: number; readonly emptyAnswers: number };

type Look = {
  readonly symbol: string;
  readonly eyes: SymbolEyes;
  readonly stop: () => void;
  /** Trades after this id are missing, since then or since the venue last said that it has none. */
  missing: Missing | null;
  isAsking: boolean;
  /** Stops wait for the answer. */
  readonly nextLane: () => Lane;
};

/** The guards of one shard in memory, fed by the prices of their symbols. Triggers leave at once, the rest in batches. */
export type MarketEyes = {
  armed(): number;
  /** Takes up what was armed, amended and disarmed since, and says so to the book. */
  reload(rows: readonly ArmedGuard[]): Promise<void>;
  /**
   * Asks the venue for trades that a guard armed late, or a restart, has missed. Nobody waits for the answer: what was armed
   * meanwhile must be taken up, and the lease be kept.
   */
  catchUp(): void;
  /**
   * Writes what has changed, and from time to time how far each symbol was seen, in one statement. While a trigger is not
   * committed its symbol's cursor stands: whoever takes over must come by that price again, and by those that had moved the
   * stop there.
   */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
};

export function openMarketEyes(deps: ActivityDependencies, room: VenueRoom, lease: ShardLease): MarketEyes {
  const { db, now, metrics } = deps;
  const looks = new Map<string, Look>();
  const held = new Map<string, ArmedGuard>();
  const unwritten = createUnwrittenChanges(now);
  const triggers = openTriggerCommits(deps, lease);
  let cursorsAtMs = 0;

  const hear = (seen: readonly Seen[]): void => {
    for (const one of seen) {
      const row = held.get(one.id);
      if (row === undefined) continue;
      unwritten.note(row, one);
      if (one.action === 'triggered') triggers.commit(row, one);
    }
  };

  const lookAt = (symbol: string): Look => {
    const known = looks.get(symbol);
    if (known) return known;
    const eyes = createSymbolEyes();
    const stop = room.prices.watch(symbol, (trade) => hear(eyes.onTrade(trade)));
    const look: Look = { symbol, eyes, stop, missing: null, isAsking: false, nextLane: createUrgentLane(now) };
    looks.set(symbol, look);
    return look;
  };

  /** An amended guard goes on from where it stands: its terms are new, its state is never looser than before. */
  const take = (row: ArmedGuard): void => {
    if ((held.get(row.id)?.version ?? 0) >= row.version) return;
    const { eyes } = lookAt(row.symbol);
    const present = eyes.find(row.id);
    const guard = present === undefined ? row.guard : joinGuards(row.guard, present);
    held.set(row.id, row);
    unwritten.amend(row);
    hear(eyes.arm(row.id, guard, eyes.seenBy(row.id) ?? row.sinceVenueTradeId));
  };

  const drop = ({ id, symbol }: ArmedGuard): void => {
    const look = looks.get(symbol);
    held.delete(id);
    unwritten.forget(id);
    look?.eyes.disarm(id);
    if (look?.eyes.size() !== 0) return;
    look.stop();
    looks.delete(symbol);
  };

  return {
    armed: () => held.size,
    async reload(rows) {
      const wanted = new Set(rows.map(({ id }) => id));
      for (const row of [...held.values()]) if (!wanted.has(row.id)) drop(row);
      for (const row of rows) take(row);
      metrics.armedGuards.set({ shard: lease.shard }, held.size);
      const fresh = rows.filter((row) => row.acknowledgedVersion < row.version);
      if (fresh.length > 0) await acknowledgeGuards(db, { ...lease, rows: fresh });
    },
    catchUp() {
      for (const look of looks.values()) {
        const hearIfWatched = (seen: readonly Seen[]): void => {
          if (looks.get(look.symbol) === look) hear(seen);
        };
        if (isAskingDue(look, now())) void askForMissing(deps, room, look, hearIfWatched);
      }
    },
    async checkpoint() {
      const changes = unwritten.list((row) => looks.get(row.symbol)?.eyes.find(row.id));
      if (changes.length === 0 && now() < cursorsAtMs) return;
      cursorsAtMs = now() + cursorsEveryMs;
      const cursors = cursorsOf([...looks.values()].filter(({ symbol }) => !triggers.isPending(symbol)));
      const writtenIds = await checkpointGuards(db, { ...lease, cursors, changes, nowMs: now() });
      unwritten.written(changes.filter(({ row }) => writtenIds.has(row.id)));
    },
    async close() {
      for (const look of looks.values()) look.stop();
      looks.clear();
      await triggers.close();
    },
  };
}

/** The hub fills the stream's own gaps, so what is missing gets a moment to come by itself. */
function isAskingDue(look: Look, nowMs: number): boolean {
  const afterId = look.eyes.missingAfter();
  if (afterId === null) look.missing = null;
  else if (look.missing?.afterId !== afterId) look.missing = { afterId, sinceMs: nowMs, emptyAnswers: 0 };
  if (look.isAsking || look.missing === null) return false;
  return nowMs - look.missing.sinceMs >= ownGapMs * 2 ** look.missing.emptyAnswers;
}

async function askForMissing(
  { logger, now }: ActivityDependencies,
  { venue }: VenueRoom,
  look: Look,
  hear: (seen: readonly Seen[]) => void,
): Promise<void> {
  const { symbol, eyes } = look;
  const afterId = look.missing?.afterId;
  if (afterId === undefined) return;
  look.isAsking = true;
  try {
    const trades = await venue.marketTrades(symbol, afterId, pageRows, look.nextLane());
    hear(trades.length > 0 ? eyes.onPage(trades, afterId) : onEmptyAnswer(look, afterId, now()));
  } catch (error) {
    logger.warn({ error, symbol, afterId }, 'missing trades can not be read yet; the live price is watched');
  } finally {
    look.isAsking = false;
  }
}

function onEmptyAnswer(look: Look, afterId: number, nowMs: number): readonly Seen[] {
  const emptyAnswers = look.missing?.afterId === afterId ? look.missing.emptyAnswers + 1 : 1;
  look.missing = { afterId, sinceMs: nowMs, emptyAnswers };
  return emptyAnswers < emptyAnswersMax ? [] : look.eyes.onNoneAfter(afterId);
}

const cursorsOf = (looks: readonly Look[]) =>
  looks.flatMap(({ symbol, eyes }) => {
    const venueTradeId = eyes.seenUpTo();
    return venueTradeId === null ? [] : [{ symbol, venueTradeId }];
  });
