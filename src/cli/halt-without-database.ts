import { randomUUID } from 'node:crypto';
import { type SpooledHalt, spoolHalt } from '../config/halt-spool.ts';
import { type ErrorBody, errorLine, RatchetError } from '../contracts/schemas/error-body.ts';
import { type DirectProgress, sweepVenue } from './direct-sweep.ts';
import type { HaltAsked } from './halt.ts';
import { describeScope } from './hold-scope.ts';
import { bodyOf, exitCodes, print, say } from './output.ts';
import { findSite, type Site } from './site.ts';

/** Without the database there is nobody to hand over to. */
const giveUpAfterMs = 120_000;

/** What came of the sweep: its last look, or why there was none. */
type Swept = { readonly sweep: DirectProgress | null; readonly fault?: ErrorBody };

/**
 * Keeps the halt on the disk for a worker to import, and sweeps what the venue alone can tell. Exit code 0 when the venue
 * has said twice that no entry order works, 1 while something is left, 3 when nobody could begin; 3 also for what needs the
 * database: a halt without a sweep, and the exits of a flatten.
 */
export async function haltWithoutDatabase({ options, scope }: HaltAsked, cause: unknown): Promise<number> {
  const { level, reason, json } = options;
  const site = findSite(options);
  const haltedAtMs = Date.now();
  const halt: SpooledHalt = {
    version: 1,
    eventId: randomUUID(),
    scope: { ...scope },
    level,
    actor: site.actor,
    reason,
    haltedAtMs,
    ...(options.for !== undefined && { expiresAtMs: haltedAtMs + options.for * 60_000 }),
  };
  spoolHalt(site.config.RATCHET_DATA, halt);
  say(options, [
    'The database does not answer, so no entry can be sent. The halt waits on the disk, and a worker that starts or',
    `runs here puts it in force once the database is back: ${describeScope(scope)}, ${level}.`,
  ]);
  const tell = (line: string): void => say(options, [line]);
  const swept: Swept = level === 'entries-blocked' ? { sweep: null } : await sweepWhatCanBe(site, halt, tell);
  const { sweep, fault } = swept;
  if (sweep !== null) tell(lastLineOf(sweep));
  if (level === 'flatten') tell('Positions are closed once the database is back: their exits need the book.');
  const answer = { spooled: halt, because: String(cause), sweep, ...(fault && { error: fault }) };
  if (json) print(options, answer, []);
  else if (fault) process.stderr.write(`${errorLine(fault)}\n`);
  return exitOf(level, sweep);
}

/** The halt waits on the disk whatever happens here, so an error is part of the answer. */
async function sweepWhatCanBe(site: Site, halt: SpooledHalt, tell: (line: string) => void): Promise<Swept> {
  const { kind, id } = halt.scope;
  let sweep: DirectProgress | null = null;
  try {
    if (kind !== 'all' && kind !== 'symbol') {
      throw new RatchetError('HALT_SCOPE_NEEDS_DATABASE', { scope: `${kind} ${id}` });
    }
    await sweepVenue({ config: site.config, stack: site.stack }, { halt, giveUpAfterMs }, (seen) => {
      sweep = seen;
      tell(`look ${seen.looks}: ${seen.canceled.length} canceled, ${seen.left.length} left${listed(seen.left)}`);
    });
    return { sweep };
  } catch (error) {
    return { sweep, fault: bodyOf(error) };
  }
}

function lastLineOf({ canceled, left, isClear }: DirectProgress): string {
  const done = `${canceled.length} canceled${listed(canceled)}`;
  if (isClear) return `clear: ${done}; nothing is left`;
  const rest = left.length > 0 ? `${left.length} left${listed(left)}` : 'the venue has not said that nothing is left';
  return `gave up: ${done}; ${rest}`;
}

const listed = (ids: readonly string[]): string => (ids.length === 0 ? '' : `: ${ids.join(' ')}`);

function exitOf(level: SpooledHalt['level'], sweep: DirectProgress | null): number {
  if (sweep === null || (!sweep.isClear && sweep.left.length + sweep.canceled.length === 0)) {
    return exitCodes.unavailable;
  }
  if (!sweep.isClear) return exitCodes.refused;
  return level === 'flatten' ? exitCodes.unavailable : exitCodes.done;
}
