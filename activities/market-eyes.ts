import { joinGuards } from '../src/domain/guard.ts';
import { createSymbolEyes, type Seen, type SymbolEyes } from '../src/prices/symbol-eyes.ts';
import {
  type ArmedGuard,
  acknowledgeGuards,
  checkpointGuards,
  type GuardCheckpoint,
  type ShardLease,
} from '../src/store/guards.ts';
import { openTriggerCommits } from './commit-triggers.ts';
import type { ActivityDependencies, VenueRoom } from './dependencies.ts';

const tellMovesEveryMs = 60_000;
const ownGapMs = 300;
const pageRows = 1_000;

/** A guard that is watched, and what of it is not in the book yet. */
type Held = {
  readonly row: ArmedGuard;
  /** Moves are told to the lifecycles from then on; an activation is told at once. */
  readonly tellAtMs: number;
  readonly change: { readonly seenVenueTradeId: number; readonly activated: boolean } | null;
};

type Look = {
  readonly eyes: SymbolEyes;
  readonly stop: () => void;
  /** Trades after this id are missing, since then. */
  missing: { readonly afterId: number; readonly sinceMs: number } | null;
};

/** The guards of one shard in memory, fed by the prices of their symbols. Triggers leave at once, the rest in batches. */
export type MarketEyes = ReturnType<typeof openMarketEyes>;

export function openMarketEyes(deps: ActivityDependencies, { prices, venue }: VenueRoom, lease: ShardLease) {
  const { db, now, logger, metrics } = deps;
  const looks = new Map<string, Look>();
  const held = new Map<string, Held>();
  const triggers = openTriggerCommits(deps, lease);

  const hear = (seen: readonly Seen[]): void => {
    for (const one of seen) {
      const known = held.get(one.id);
      if (known === undefined) continue;
      if (one.action === 'triggered') triggers.commit(known.row, one);
      const activated = one.action === 'activated' || known.change?.activated === true;
      held.set(one.id, { ...known, change: { seenVenueTradeId: one.trade.venueTradeId, activated } });
    }
  };

  const lookAt = (symbol: string): Look => {
    const known = looks.get(symbol);
    if (known) return known;
    const eyes = createSymbolEyes();
    const look: Look = { eyes, stop: prices.watch(symbol, (trade) => hear(eyes.onTrade(trade))), missing: null };
    looks.set(symbol, look);
    return look;
  };

  /** An amended guard goes on from where it stands: its terms are new, its state is never looser than before. */
  const take = (row: ArmedGuard): void => {
    const known = held.get(row.id);
    if (known !== undefined && known.row.version >= row.version) return;
    const { eyes } = lookAt(row.symbol);
    const present = eyes.find(row.id);
    const guard = present === undefined ? row.guard : joinGuards(row.guard, present);
    const since = eyes.seenBy(row.id) ?? row.sinceVenueTradeId;
    held.set(row.id, { row, tellAtMs: known?.tellAtMs ?? 0, change: known?.change ?? null });
    hear(eyes.arm(row.id, guard, since));
  };

  const drop = (id: string): void => {
    const symbol = held.get(id)?.row.symbol ?? '';
    const look = looks.get(symbol);
    held.delete(id);
    look?.eyes.disarm(id);
    if (look?.eyes.size() !== 0) return;
    look.stop();
    looks.delete(symbol);
  };

  const fetchMissing = async (symbol: string, { eyes }: Look, afterId: number): Promise<void> => {
    try {
      const trades = await venue.marketTrades(symbol, afterId, pageRows);
      for (const trade of trades) hear(eyes.onTrade(trade));
      // Ids that the venue leaves out do not exist: nobody waits for them.
      hear(eyes.onComplete(trades.at(-1)?.venueTradeId ?? afterId + pageRows));
    } catch (error) {
      logger.warn({ error, symbol, afterId }, 'missing trades can not be read yet; the live price is watched');
    }
  };

  /** What the book does not have yet. A trigger is not among it: it is committed with its exit or not at all. */
  const unwritten = (): readonly GuardCheckpoint[] =>
    [...held.values()].flatMap(({ row, change, tellAtMs }) => {
      const guard = looks.get(row.symbol)?.eyes.find(row.id);
      if (change === null || guard === undefined || guard.state.status === 'triggered') return [];
      return [{ row, guard, ...change, tell: change.activated || now() >= tellAtMs }];
    });

  const markWritten = ({ row, tell, seenVenueTradeId }: GuardCheckpoint): void => {
    const latest = held.get(row.id);
    if (latest === undefined) return;
    const isNewer = latest.change !== null && latest.change.seenVenueTradeId > seenVenueTradeId;
    held.set(row.id, {
      ...latest,
      tellAtMs: tell ? now() + tellMovesEveryMs : latest.tellAtMs,
      change: isNewer ? latest.change : null,
    });
  };

  return {
    armed: () => held.size,
    /** Takes up what was armed, amended and disarmed since, and says so to the book. */
    async reload(rows: readonly ArmedGuard[]): Promise<void> {
      const wanted = new Set(rows.map(({ id }) => id));
      for (const id of [...held.keys()]) if (!wanted.has(id)) drop(id);
      for (const row of rows) take(row);
      metrics.armedGuards.set({ shard: lease.shard }, held.size);
      const fresh = rows.filter((row) => row.acknowledgedVersion < row.version);
      if (fresh.length > 0) await acknowledgeGuards(db, { ...lease, rows: fresh });
    },
    /**
     * Asks the venue for the trades that a guard armed late, or a restart, has missed. The hub fills the stream's own
     * gaps, so they get a moment to close by themselves.
     */
    async catchUp(): Promise<void> {
      for (const [symbol, look] of looks) {
        const afterId = look.eyes.missingAfter();
        if (afterId === null) look.missing = null;
        else if (look.missing?.afterId !== afterId) look.missing = { afterId, sinceMs: now() };
        else if (now() - look.missing.sinceMs >= ownGapMs) await fetchMissing(symbol, look, afterId);
      }
    },
    /** Writes what has changed and how far each symbol was seen, in one statement. */
    async checkpoint(): Promise<void> {
      const changes = unwritten();
      const cursors = [...looks].flatMap(([symbol, { eyes }]) => {
        const venueTradeId = eyes.seenUpTo();
        return venueTradeId === null ? [] : [{ symbol, venueTradeId }];
      });
      await checkpointGuards(db, { ...lease, cursors, changes, nowMs: now() });
      for (const change of changes) markWritten(change);
    },
    async close(): Promise<void> {
      for (const look of looks.values()) look.stop();
      await triggers.close();
    },
  };
}
