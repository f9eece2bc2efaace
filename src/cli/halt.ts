import { setTimeout } from 'node:timers/promises';
import type { HoldLevel, HoldScope, WorkingOrder } from '../contracts/messages/messages.ts';
import type { HoldView, SweepView } from '../contracts/messages/views.ts';
import type { Db } from '../store/database.ts';
import { sweepsOf } from '../store/trading-state/cancel-sweeps.ts';
import { applyHalt, isScopeUnused } from '../store/trading-state/halting.ts';
import { sweepHold } from './direct-sweep.ts';
import { haltWithoutDatabase } from './halt-without-database.ts';
import { describeScope, haltScopeOf, type ScopeOptions } from './hold-scope.ts';
import { exitCodes, print, say } from './output.ts';
import { type GlobalOptions, isAway, type Site, withDatabase } from './site.ts';

type Options = GlobalOptions &
  ScopeOptions & {
    readonly reason: string;
    readonly level: HoldLevel;
    readonly for?: number;
    readonly wait: boolean;
  };

/** What is halted, once it is known to mean something. */
export type HaltAsked = { readonly options: Options; readonly scope: HoldScope };

/** How long somebody else has to begin with the sweep, before it is done from here. */
const beginWithinMs = 2_000;
const pollMs = 200;

/**
 * `ratchet halt`: in force once it says so, whatever else is down. With Temporal or every worker away it sweeps the
 * venue itself; with the database away it sweeps what it can and keeps the halt on the disk for a worker to import.
 */
export async function run(options: Options): Promise<number> {
  const asked = { options, scope: haltScopeOf(options) };
  try {
    return await withDatabase(options, (db, site) => haltInDatabase(asked, db, site));
  } catch (error) {
    if (!isAway(error)) throw error;
    return haltWithoutDatabase(asked, error);
  }
}

async function haltInDatabase({ options, scope }: HaltAsked, db: Db, site: Site): Promise<number> {
  const { level, reason } = options;
  const nowMs = Date.now();
  const { hold, workingEntries } = await applyHalt(db, {
    scope,
    level,
    actor: site.actor,
    reason,
    ...(options.for !== undefined && { expiresAtMs: nowMs + options.for * 60_000 }),
    nowMs,
  });
  say(options, describeHalt(hold, workingEntries));
  // Side by side: no sweep waits for a question.
  const [isUnused, sweeps] = await Promise.all([
    seeUsed(options, db, scope),
    hold.level === 'entries-blocked' ? [] : seeSwept(options, db, site, hold),
  ]);
  if (options.json) print(options, { hold, workingEntries, sweeps, isScopeUnused: isUnused }, []);
  return exitOf(sweeps);
}

/** A slip looks like a strategy that is about to start; only who asks can tell. */
async function seeUsed(options: Options, db: Db, scope: HoldScope): Promise<boolean> {
  const isUnused = await isScopeUnused(db, scope);
  if (isUnused) say(options, [`Nothing has ever been in ${describeScope(scope)}: see that it is spelled as meant.`]);
  return isUnused;
}

/** What is left is what was refused; a sweep that nobody has begun waits for somebody to be back. */
function exitOf(sweeps: readonly SweepView[]): number {
  if (sweeps.some(({ left, notFlat }) => left.length + notFlat.length > 0)) return exitCodes.refused;
  return sweeps.some(({ looks, outcome }) => looks === 0 && outcome === null) ? exitCodes.unavailable : exitCodes.done;
}

/** Leaves it to who has begun, or does it from here where nobody has; `--wait` stays until it is done. */
async function seeSwept(
  options: Options,
  db: Db,
  site: Site,
  { holdId, version }: HoldView,
): Promise<readonly SweepView[]> {
  if (await hasBegun(db, holdId)) return options.wait ? follow(options, db, holdId, () => false) : sweepsOf(db, holdId);
  const venues = (await sweepsOf(db, holdId)).map(({ venue }) => venue);
  let hasFailed = false;
  const direct = Promise.all(venues.map((venue) => sweepFromHere(options, site, version, venue))).catch(() => {
    hasFailed = true;
  });
  const sweeps = await follow(options, db, holdId, () => hasFailed && !options.wait);
  await direct;
  return sweeps;
}

/** Says how far it is, until every sweep has ended or `isOver`. */
async function follow(options: Options, db: Db, holdId: string, isOver: () => boolean): Promise<readonly SweepView[]> {
  let said = '';
  for (;;) {
    const sweeps = await sweepsOf(db, holdId);
    const lines = sweeps.map(lineOf);
    if (lines.join() !== said) say(options, lines);
    said = lines.join();
    if (isOver() || sweeps.every(({ outcome }) => outcome !== null)) return sweeps;
    await setTimeout(pollMs);
  }
}

async function hasBegun(db: Db, holdId: string): Promise<boolean> {
  const untilMs = Date.now() + beginWithinMs;
  while (Date.now() < untilMs) {
    if ((await sweepsOf(db, holdId)).every(({ looks, outcome }) => looks > 0 || outcome !== null)) return true;
    await setTimeout(pollMs);
  }
  return false;
}

async function sweepFromHere(options: Options, site: Site, holdVersion: string, venue: string): Promise<void> {
  say(options, [`Nobody has begun to cancel at ${venue}: doing it from here.`]);
  try {
    await sweepHold(site, { holdVersion, venue });
  } catch (error) {
    say(options, [`Not from here: ${error instanceof Error ? error.message : String(error)}`]);
    throw error;
  }
}

const lineOf = ({ venue, outcome, canceled, left, notFlat }: SweepView): string =>
  [
    `${venue}: ${outcome ?? 'canceling'}, ${canceled} canceled, ${left.length} left`,
    notFlat.length > 0 ? `, ${notFlat.length} trades not flat` : '',
    left.length > 0 ? `: ${left.join(' ')}` : '',
  ].join('');

function describeHalt(hold: HoldView, workingEntries: readonly WorkingOrder[]): readonly string[] {
  const until = hold.expiresAtMs === null ? 'until it is resumed' : `until ${new Date(hold.expiresAtMs).toISOString()}`;
  return [
    `HALTED: ${describeScope(hold.scope)}, ${hold.level}, ${until} (${hold.holdId}, version ${hold.version})`,
    `by ${hold.actor}: ${hold.reason}`,
    ...workingLines(hold.level, workingEntries),
  ];
}

function workingLines(level: HoldLevel, workingEntries: readonly WorkingOrder[]): readonly string[] {
  if (workingEntries.length === 0) return ['No entry order works any more.'];
  return [
    level === 'entries-blocked'
      ? 'These entry orders were sent before and can still fill; a halt of this level does not cancel them:'
      : 'These entry orders were sent before and are being canceled:',
    ...workingEntries.map(
      ({ clientOrderId, tradeId, side, leavesQuantity, symbol, status }) =>
        `  ${clientOrderId}  ${side} ${leavesQuantity} ${symbol}  ${status}  trade ${tradeId}`,
    ),
  ];
}
