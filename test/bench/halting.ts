import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { readStack } from '../../src/client/index.ts';
import { signals } from '../../src/contracts/messages/messages.ts';
import { accountScope, breakerId } from '../../src/contracts/messages/names.ts';
import type { Stack } from '../support/stack.ts';
import { aFlood, entriesSeen, noneOf, type SentEntry, spreadOf } from './flooding.ts';
import type { Figure } from './statistics.ts';

/** When one halt happened, on the one clock of the machine. */
type Halt = {
  readonly way: 'API' | 'signal';
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  /** When the commit of its hold was heard of. */
  readonly committedAtMs: number;
  readonly liftedAtMs: number;
};

/** Long enough for entries to flow again: those of a second are on their way when the next halt comes. */
const cycleMs = 2_500;
const heldMs = 500;
/** What is promised: nothing is sent later than the one, nothing taken by the venue later than the other. */
const sentWithinMs = 250;
const acceptedWithinMs = 3_250;

/**
 * Two workers send entries as fast as they can, and an operator halts and resumes, by turns over the API and by the
 * signal. What counts is the ledger of the venue, another process: when the last entry came in that was on its way.
 */
export async function haltFigures(halts: number): Promise<readonly Figure[]> {
  const { stack, ebb, stop } = await aFlood();
  try {
    const holds = await listenFor(stack, 'ratchet_holds');
    const done: Halt[] = [];
    for (let n = 0; n < halts; n += 1) done.push(await haltOnce(stack, holds, n % 2 === 0 ? 'API' : 'signal'));
    await holds.end();
    await delay(acceptedWithinMs);
    const rate = await ebb();
    return figuresOf(done, await entriesSeen(stack), rate);
  } finally {
    await stop();
  }
}

type Heard = Awaited<ReturnType<typeof listenFor>>;

/** PostgreSQL tells whoever listens once the transaction is committed, and not before. */
async function listenFor(stack: Stack, channel: string) {
  const session = new pg.Client({ connectionString: stack.file().database.ownerUrl });
  await session.connect();
  await session.query(`listen ${channel}`);
  return {
    next: (): Promise<number> => new Promise((resolve) => session.once('notification', () => resolve(Date.now()))),
    end: () => session.end(),
  };
}

async function haltOnce(stack: Stack, holds: Heard, way: Halt['way']): Promise<Halt> {
  const committed = holds.next();
  const askedAtMs = Date.now();
  await (way === 'API' ? call(stack, '/v1/halts') : haltBySignal(stack));
  const answeredAtMs = Date.now();
  const committedAtMs = await committed;
  await delay(heldMs);
  const liftedAtMs = Date.now();
  await call(stack, '/v1/resumes');
  await delay(Math.max(0, askedAtMs + cycleMs - Date.now()));
  return { way, askedAtMs, answeredAtMs, committedAtMs, liftedAtMs };
}

const haltBySignal = ({ temporal }: Stack): Promise<void> =>
  temporal.workflow
    .getHandle(breakerId(accountScope('main')))
    .signal(signals.halt, { actor: 'bench', reason: 'bench', scope: { kind: 'all', id: '*' } });

async function call({ data }: Stack, path: string): Promise<void> {
  const { url, key } = readStack(data).api;
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'bench' }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

function figuresOf(halts: readonly Halt[], entries: readonly SentEntry[], rate: number): readonly Figure[] {
  const overApi = halts.filter(({ way }) => way === 'API');
  const bySignal = halts.filter(({ way }) => way === 'signal');
  const lateness = (some: readonly Halt[], momentOf: (halt: Halt) => number) =>
    some.map((halt) => lastLateness(halt, momentOf(halt), entries));
  const tooLate = entries.filter((entry) => halts.some((halt) => isTakenTooLate(halt, entry)));
  const underHold = entries.filter((entry) => halts.some((halt) => isIntendedUnder(halt, entry)));
  const load = `2 workers, ${rate.toFixed(0)} entries a second`;
  return [
    spreadOf(
      `halt answered by the API -> last entry at the venue (${load})`,
      lateness(overApi, ({ answeredAtMs }) => answeredAtMs),
      sentWithinMs,
    ),
    spreadOf(
      'halt called over the API -> last entry at the venue',
      lateness(overApi, ({ askedAtMs }) => askedAtMs),
      null,
    ),
    spreadOf(
      'halt committed, by API or signal -> last entry at the venue',
      lateness(halts, ({ committedAtMs }) => committedAtMs),
      sentWithinMs,
    ),
    spreadOf(
      'halt signaled -> its hold committed',
      bySignal.map(({ askedAtMs, committedAtMs }) => committedAtMs - askedAtMs),
      null,
    ),
    noneOf('entries that the venue took later than 3,250 ms after a halt', tooLate.length, entries.length),
    noneOf('intents of entries that were committed under a hold', underHold.length, entries.length),
  ];
}

/** How long after the moment the last entry came in whose intent was older than the hold; 0 where none came. */
function lastLateness({ committedAtMs }: Halt, fromMs: number, entries: readonly SentEntry[]): number {
  const late = entries.filter(({ intentAtMs, receivedAtMs }) => intentAtMs <= committedAtMs && receivedAtMs > fromMs);
  return Math.max(0, ...late.map(({ receivedAtMs }) => receivedAtMs - fromMs));
}

const isTakenTooLate = ({ committedAtMs }: Halt, { intentAtMs, acceptedAtMs }: SentEntry): boolean =>
  acceptedAtMs !== null && intentAtMs <= committedAtMs && acceptedAtMs > committedAtMs + acceptedWithinMs;

const isIntendedUnder = ({ committedAtMs, liftedAtMs }: Halt, { intentAtMs }: SentEntry): boolean =>
  intentAtMs > committedAtMs && intentAtMs < liftedAtMs;
