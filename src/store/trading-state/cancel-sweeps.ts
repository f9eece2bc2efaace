import { sql } from 'kysely';
import type { CancelAllInput, HoldScope } from '../../contracts/messages/messages.ts';
import { cancelAllId, taskQueues, workflowTypes } from '../../contracts/messages/names.ts';
import type { SweepView } from '../../contracts/messages/views.ts';
import { newSweep, type SweepState } from '../../domain/cancel-sweep.ts';
import { raiseAlert, resolveAlert } from '../alerts.ts';
import type { Db, Tx } from '../database.ts';
import { enqueue } from '../outbox.ts';
import { record } from '../record.ts';
import type { CancelSweepRow, HoldRow, NewCancelSweepRow } from '../tables.ts';

/** A sweep that somebody works on. */
export type Sweep = {
  /** Of the hold that it carries out: its epoch. */
  readonly holdVersion: string;
  readonly venue: string;
  readonly level: CancelAllInput['level'];
  readonly scope: HoldScope;
  readonly state: SweepState;
};

export type SweepKey = Pick<Sweep, 'holdVersion' | 'venue'>;

/**
 * Writes down what a hold of level frozen or flatten has to clear, one sweep for each venue in its scope, and starts the
 * lifecycle that does it: in the transaction of the hold, so that neither exists without the other.
 */
export async function openSweeps(tx: Tx, hold: HoldRow, nowMs: number): Promise<void> {
  const { level } = hold;
  if (level === 'entries-blocked') return;
  let accounts = tx.selectFrom('account').select('venue').distinct().orderBy('venue');
  if (hold.scope_kind === 'account') accounts = accounts.where('account_id', '=', hold.scope_id);
  const venues = (await accounts.execute()).map(({ venue }) => venue);
  if (venues.length === 0) return;
  const { hold_id, scope_kind, scope_id, version } = hold;
  const state = JSON.stringify(newSweep(nowMs));
  await tx
    .insertInto('cancel_sweep')
    .values(
      venues.map((venue) => ({
        hold_version: version,
        venue,
        hold_id,
        level,
        scope_kind,
        scope_id,
        state,
        next_look_at_ms: nowMs,
      })),
    )
    .execute();
  const scope = { kind: scope_kind, id: scope_id };
  const input: CancelAllInput = { scope, epoch: String(version), level, venues };
  await enqueue(tx, [startOf(input)], nowMs);
}

const startOf = (input: CancelAllInput) =>
  ({
    action: 'start',
    workflowId: cancelAllId(nameOf(input.scope), input.epoch),
    workflowType: workflowTypes.cancelAll,
    taskQueue: taskQueues.guards,
    startArgs: [input],
    summary: `${input.level}: cancel the entries of ${nameOf(input.scope)}`,
  }) as const;

const nameOf = ({ kind, id }: HoldScope): string => (kind === 'all' ? 'all' : `${kind}-${id.replaceAll('/', '-')}`);

export type TakenSweep =
  | { readonly outcome: 'taken'; readonly sweep: Sweep }
  /** Somebody else works on it until then. */
  | { readonly outcome: 'busy'; readonly untilMs: number }
  | { readonly outcome: 'ended' };

/**
 * Takes a sweep for one look, so that two do not send the same cancels. One whose hold was lifted, has expired or was
 * set again under a later version ends here: it has nothing to carry out any more.
 */
export function takeSweep(
  db: Db,
  take: SweepKey & { readonly holder: string; readonly leaseMs: number; readonly nowMs: number },
): Promise<TakenSweep> {
  const { holder, leaseMs, nowMs } = take;
  return db.transaction().execute(async (tx) => {
    const row = await lockSweep(tx, take);
    if (row === undefined || row.ended_at_ms !== null) return { outcome: 'ended' };
    if (row.lease_until_ms > nowMs && row.holder !== holder) return { outcome: 'busy', untilMs: row.lease_until_ms };
    if (!(await isWanted(tx, row, nowMs))) {
      await endSweep(tx, row, { state: row.state, notFlat: [], outcome: 'withdrawn' }, nowMs);
      return { outcome: 'ended' };
    }
    await change(tx, take, { holder, lease_until_ms: nowMs + leaseMs });
    return { outcome: 'taken', sweep: sweepOf(row) };
  });
}

/** Keeps what a look has found, tells people what is left, and gives the sweep back. False: somebody else has it. */
export function saveLook(
  db: Db,
  look: SweepKey & {
    readonly holder: string;
    readonly state: SweepState;
    readonly canceled: number;
    readonly notFlat: readonly string[];
    readonly isFinished: boolean;
    readonly nextLookAtMs: number;
    /** Orders and trades to name to people now. */
    readonly toName: readonly string[];
    readonly lateTrades: readonly string[];
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { state, notFlat, nowMs } = look;
  return db.transaction().execute(async (tx) => {
    const row = await lockSweep(tx, look);
    if (row === undefined || row.ended_at_ms !== null || row.holder !== look.holder) return false;
    const canceled = row.canceled + look.canceled;
    await tellPeople(tx, row, look);
    if (look.isFinished) {
      await endSweep(tx, { ...row, canceled }, { state, notFlat, outcome: 'clear' }, nowMs);
      return true;
    }
    const set = { state: JSON.stringify(state), canceled, not_flat: [...notFlat], next_look_at_ms: look.nextLookAtMs };
    await change(tx, look, { ...set, lease_until_ms: 0 });
    // The record grows with what changes, not with how often somebody looked.
    if (row.state.left.join() !== state.left.join()) {
      await recordSweep(tx, { ...row, canceled }, { state, notFlat, outcome: null }, nowMs);
    }
    return true;
  });
}

/** Sweeps that go on and should have been looked at before `dueBeforeMs`, but nobody has them. */
export async function overdueSweeps(db: Db, dueBeforeMs: number, nowMs: number): Promise<readonly SweepKey[]> {
  const rows = await db
    .selectFrom('cancel_sweep')
    .select(['hold_version', 'venue'])
    .where('ended_at_ms', 'is', null)
    .where('next_look_at_ms', '<=', dueBeforeMs)
    .where('lease_until_ms', '<=', nowMs)
    .orderBy('next_look_at_ms')
    .execute();
  return rows.map(({ hold_version, venue }) => ({ holdVersion: String(hold_version), venue }));
}

/** How the sweeps of a hold stand, the latest version of it. */
export async function sweepsOf(db: Db, holdId: string): Promise<readonly SweepView[]> {
  const rows = await db
    .selectFrom('cancel_sweep')
    .selectAll()
    .where('hold_id', '=', holdId)
    .where('hold_version', '=', (eb) =>
      eb.selectFrom('cancel_sweep').select(sql<number>`max(hold_version)`.as('latest')).where('hold_id', '=', holdId),
    )
    .orderBy('venue')
    .execute();
  return rows.map(viewOf);
}

export async function readSweep(db: Db, key: SweepKey): Promise<SweepView | undefined> {
  const row = await db
    .selectFrom('cancel_sweep')
    .selectAll()
    .where('hold_version', '=', Number(key.holdVersion))
    .where('venue', '=', key.venue)
    .executeTakeFirst();
  return row && viewOf(row);
}

const lockSweep = (tx: Tx, { holdVersion, venue }: SweepKey): Promise<CancelSweepRow | undefined> =>
  tx
    .selectFrom('cancel_sweep')
    .selectAll()
    .where('hold_version', '=', Number(holdVersion))
    .where('venue', '=', venue)
    .forUpdate()
    .executeTakeFirst();

type Change = Partial<Omit<NewCancelSweepRow, 'hold_version' | 'venue'>>;

const change = (tx: Tx, { holdVersion, venue }: SweepKey, set: Change): Promise<unknown> =>
  tx
    .updateTable('cancel_sweep')
    .set(set)
    .where('hold_version', '=', Number(holdVersion))
    .where('venue', '=', venue)
    .execute();

async function isWanted(tx: Tx, sweep: CancelSweepRow, nowMs: number): Promise<boolean> {
  const hold = await tx.selectFrom('hold').selectAll().where('hold_id', '=', sweep.hold_id).executeTakeFirst();
  if (hold === undefined || hold.lifted_at_ms !== null || hold.version !== sweep.hold_version) return false;
  return hold.expires_at_ms === null || hold.expires_at_ms > nowMs;
}

type Ending = {
  readonly state: SweepState;
  readonly notFlat: readonly string[];
  readonly outcome: 'clear' | 'withdrawn' | null;
};

async function endSweep(tx: Tx, row: CancelSweepRow, ending: Ending, nowMs: number): Promise<void> {
  const { state, outcome, notFlat } = ending;
  const key = { holdVersion: String(row.hold_version), venue: row.venue };
  await change(tx, key, {
    state: JSON.stringify(state),
    canceled: row.canceled,
    not_flat: [...notFlat],
    ended_at_ms: nowMs,
    lease_until_ms: 0,
    outcome,
  });
  await resolveAlert(tx, { condition: ordersCondition(row), nowMs });
  await resolveAlert(tx, { condition: tradesCondition(row), nowMs });
  await recordSweep(tx, row, ending, nowMs);
}

const recordSweep = (tx: Tx, row: CancelSweepRow, { state, notFlat, outcome }: Ending, nowMs: number): Promise<void> =>
  record(tx, {
    type: 'CancelSweep',
    key: [row.hold_version, row.venue, outcome ?? state.looks],
    atMs: nowMs,
    actor: { type: 'system', id: 'cancelAll' },
    data: {
      holdId: row.hold_id,
      holdVersion: row.hold_version,
      venue: row.venue,
      level: row.level,
      scope: scopeOf(row),
      left: state.left,
      looks: state.looks,
      canceled: row.canceled,
      notFlat,
      outcome,
    },
  });

const ordersCondition = ({ hold_version, venue }: CancelSweepRow): string => `cancel-sweep:${hold_version}:${venue}`;
const tradesCondition = ({ hold_version, venue }: CancelSweepRow): string => `flatten:${hold_version}:${venue}`;

async function tellPeople(tx: Tx, row: CancelSweepRow, look: Parameters<typeof saveLook>[1]): Promise<void> {
  const { nowMs, nextLookAtMs } = look;
  const context = { venue: row.venue, level: row.level, scope: nameOf(scopeOf(row)) };
  await tell(tx, 'CANCEL_SWEEP_INCOMPLETE', ordersCondition(row), look.toName, look.state.left, nowMs, {
    ...context,
    nextTryAt: new Date(nextLookAtMs).toISOString(),
  });
  await tell(tx, 'FLATTEN_INCOMPLETE', tradesCondition(row), look.lateTrades, look.notFlat, nowMs, context);
}

/** One alert a sweep, which always names exactly what is left now; it ends when nothing is. */
async function tell(
  tx: Tx,
  code: 'CANCEL_SWEEP_INCOMPLETE' | 'FLATTEN_INCOMPLETE',
  condition: string,
  toName: readonly string[],
  left: readonly string[],
  nowMs: number,
  context: Readonly<Record<string, string>>,
): Promise<void> {
  if (left.length === 0) await resolveAlert(tx, { condition, nowMs });
  if (toName.length === 0) return;
  const named = toName.join(' ');
  const open = await tx
    .selectFrom('alert')
    .select('context')
    .where('condition_key', '=', condition)
    .where('resolved_at_ms', 'is', null)
    .executeTakeFirst();
  if (open?.context['left'] === named) return;
  if (open !== undefined) await resolveAlert(tx, { condition, nowMs });
  await raiseAlert(tx, {
    condition,
    code,
    severity: 'CRITICAL',
    context: { ...context, count: toName.length, left: named },
    nowMs,
  });
}

const scopeOf = (row: CancelSweepRow): HoldScope => ({ kind: row.scope_kind, id: row.scope_id });

const sweepOf = (row: CancelSweepRow): Sweep => ({
  holdVersion: String(row.hold_version),
  venue: row.venue,
  level: row.level,
  scope: scopeOf(row),
  state: row.state,
});

const viewOf = (row: CancelSweepRow): SweepView => ({
  venue: row.venue,
  left: row.state.left,
  canceled: row.canceled,
  notFlat: row.not_flat,
  looks: row.state.looks,
  outcome: row.outcome,
  nextLookAtMs: row.next_look_at_ms,
});
