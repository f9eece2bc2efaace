import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type SpooledHalt, spoolHalt } from '../config/halt-spool.ts';
import type { HoldLevel, HoldScope, WorkingOrder } from '../contracts/messages/messages.ts';
import type { HoldView, SweepView } from '../contracts/messages/views.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import type { Db } from '../store/database.ts';
import { sweepsOf } from '../store/trading-state/cancel-sweeps.ts';
import { setHold } from '../store/trading-state/holds.ts';
import { sweepDirectly } from './direct-sweep.ts';
import { describeScope, type ScopeOptions, scopeOf } from './hold-scope.ts';
import { exitCodes, print } from './output.ts';
import { findSite, type GlobalOptions, isAway, type Site, withDatabase } from './site.ts';

type Options = GlobalOptions &
  ScopeOptions & {
    readonly reason: string;
    readonly level: HoldLevel;
    readonly for?: number;
    readonly wait: boolean;
  };

/** How long somebody else has to begin with the sweep, before it is done from here. */
const beginWithinMs = 2_000;
const pollMs = 200;
/** Without the database there is nobody to hand over to. */
const giveUpAfterMs = 120_000;

/**
 * `ratchet halt`: in force once it says so, whatever else is down. With Temporal or every worker away it sweeps the
 * venue itself; with the database away it sweeps what it can and keeps the halt on the disk for a worker to import.
 */
export async function run(options: Options): Promise<number> {
  try {
    return await withDatabase(options, (db, site) => haltInDatabase(options, db, site));
  } catch (error) {
    if (!isAway(error)) throw error;
    return haltWithoutDatabase(options, error);
  }
}

async function haltInDatabase(options: Options, db: Db, site: Site): Promise<number> {
  const { level, reason } = options;
  const nowMs = Date.now();
  const { hold, workingEntries } = await setHold(db, {
    scope: scopeOf(options),
    source: 'operator',
    level,
    actor: site.actor,
    reason,
    ...(options.for !== undefined && { expiresAtMs: nowMs + options.for * 60_000 }),
    nowMs,
  });
  say(options, describeHalt(hold, workingEntries));
  const sweeps = hold.level === 'entries-blocked' ? [] : await seeSwept(options, db, site, hold);
  if (options.json) print(options, { hold, workingEntries, sweeps }, []);
  return exitOf(sweeps);
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
    await sweepDirectly(site, { mode: 'sweep', holdVersion, venue }, () => undefined);
  } catch (error) {
    say(options, [`Not from here: ${error instanceof Error ? error.message : String(error)}`]);
    throw error;
  }
}

async function haltWithoutDatabase(options: Options, cause: unknown): Promise<number> {
  const { level, reason } = options;
  const { config, stack, actor } = findSite(options);
  const scope = scopeOf(options);
  const haltedAtMs = Date.now();
  const halt: SpooledHalt = {
    version: 1,
    eventId: randomUUID(),
    scope: { ...scope },
    level,
    actor,
    reason,
    haltedAtMs,
    ...(options.for !== undefined && { expiresAtMs: haltedAtMs + options.for * 60_000 }),
  };
  spoolHalt(config.RATCHET_DATA, halt);
  say(options, [
    'The database does not answer, so no entry can be sent. The halt waits on the disk, and a worker that starts or',
    `runs here puts it in force once the database is back: ${describeScope(scope)}, ${level}.`,
  ]);
  if (level === 'entries-blocked') return finish(options, halt, cause);
  if (scope.kind !== 'all' && scope.kind !== 'symbol') throw needsDatabase(scope);
  await sweepDirectly(
    { config, stack },
    { mode: 'without-database', halt, giveUpAfterMs },
    ({ left, canceled, looks }) =>
      say(options, [
        `look ${looks}: ${typeof canceled === 'number' ? canceled : canceled.length} canceled, ${left.length} left`,
      ]),
  );
  if (level === 'flatten') say(options, ['Positions are closed once the database is back: their exits need the book.']);
  return finish(options, halt, cause);
}

function finish(options: Options, halt: SpooledHalt, cause: unknown): number {
  if (options.json) print(options, { spooled: halt, because: String(cause) }, []);
  return exitCodes.unavailable;
}

const needsDatabase = ({ kind, id }: HoldScope): RatchetError =>
  new RatchetError('HALT_SCOPE_NEEDS_DATABASE', { scope: `${kind} ${id}` });

function say(options: Options, lines: readonly string[]): void {
  if (!options.json && lines.length > 0) print(options, undefined, lines);
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
