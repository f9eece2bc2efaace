import type { Actor } from '../../contracts/messages/events.ts';
import type { Balance } from '../../contracts/messages/venue-order.ts';
import type { Decimal } from '../../domain/decimal.ts';
import { RatchetError } from '../../domain/errors.ts';
import { invariant } from '../../domain/invariant.ts';
import type { LimitsRead } from '../../domain/limits/limits.ts';
import { loosenedLimits, onlyTightened } from '../../domain/limits/loosening.ts';
import { raiseAlert, resolveAlert } from '../alerts.ts';
import { canonicalJson } from '../canonical.ts';
import type { Db, Tx } from '../database.ts';
import { record } from '../record.ts';
import { peopleNeeded } from './approvals.ts';

export type Account = {
  readonly account: string;
  readonly venue: string;
  /** Equity, limits and totals are in this asset. */
  readonly currency: string;
  readonly limits: unknown;
  readonly limitsVersion: number;
  readonly equity: Decimal | null;
  readonly equityAtMs: number | null;
  readonly equityFault: string | null;
  readonly balances: readonly (Balance & { readonly observedAtMs: number })[];
};

/** `limits-need-approval`: what was loosened is not in force, because here a second person has to approve. */
export type EnsuredAccount = 'opened' | 'limits-changed' | 'limits-need-approval' | 'unchanged';

/**
 * Makes the account what the configuration says. New limits raise their version and are recorded with the old ones;
 * the same again changes nothing. Whoever can write a file may tighten limits; to loosen them takes as many people as the
 * policy of the stack wants. The venue never changes, the currency only while no trade is live.
 */
export async function ensureAccount(
  db: Db,
  wanted: {
    readonly account: string;
    readonly venue: string;
    readonly currency: string;
    readonly limits: object;
    readonly actor: Actor;
    readonly nowMs: number;
  },
): Promise<EnsuredAccount> {
  return db.transaction().execute(async (tx) => {
    const isNew = await insertAccount(tx, wanted);
    if (isNew) return 'opened';
    return followConfiguration(tx, wanted);
  });
}

type Wanted = Parameters<typeof ensureAccount>[1];

async function insertAccount(tx: Tx, { account, venue, currency, limits, actor, nowMs }: Wanted): Promise<boolean> {
  const inserted = await tx
    .insertInto('account')
    .values({ account_id: account, venue, currency, limits: JSON.stringify(limits) })
    .onConflict((conflict) => conflict.column('account_id').doNothing())
    .returning('account_id')
    .executeTakeFirst();
  if (inserted === undefined) return false;
  await record(tx, {
    type: 'AccountOpened',
    key: [account],
    atMs: nowMs,
    actor,
    data: { account, venue, currency, limits, limitsVersion: 1 },
  });
  return true;
}

async function followConfiguration(tx: Tx, wanted: Wanted): Promise<EnsuredAccount> {
  const { account, limits, actor, nowMs } = wanted;
  const known = await tx
    .selectFrom('account')
    .select(['venue', 'currency', 'limits'])
    .where('account_id', '=', account)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const isMismatch =
    known.venue !== wanted.venue || (known.currency !== wanted.currency && (await isInUse(tx, account)));
  if (isMismatch) throw new RatchetError('ACCOUNT_MISMATCH', { account, venue: known.venue, currency: known.currency });
  if (known.currency !== wanted.currency) await changeCurrency(tx, wanted, known.currency);
  const before = known.limits as LimitsRead;
  const loosened = (await peopleNeeded(tx)) <= 1 ? [] : loosenedLimits(before, limits as LimitsRead);
  const allowed = loosened.length === 0 ? limits : onlyTightened(before, limits as LimitsRead);
  const { isChanged } = await writeLimits(tx, { account, limits: allowed, actor, nowMs });
  await tellLoosened(tx, account, loosened, nowMs);
  if (loosened.length > 0) return 'limits-need-approval';
  return isChanged ? 'limits-changed' : 'unchanged';
}

async function tellLoosened(tx: Tx, account: string, loosened: readonly string[], nowMs: number): Promise<void> {
  const condition = `limits-need-approval:${account}`;
  if (loosened.length === 0) {
    await resolveAlert(tx, { condition, nowMs });
    return;
  }
  await raiseAlert(tx, {
    condition,
    code: 'LIMITS_NEED_APPROVAL',
    severity: 'WARNING',
    context: { account, loosened: loosened.join(', ') },
    nowMs,
  });
}

/** The limits in force, locked until the transaction ends. Undefined: there is no such account. */
export const lockLimits = (
  tx: Tx,
  account: string,
): Promise<{ readonly limits: unknown; readonly limitsVersion: number } | undefined> =>
  tx
    .selectFrom('account')
    .select(['limits', 'limits_version as limitsVersion'])
    .where('account_id', '=', account)
    .forNoKeyUpdate()
    .executeTakeFirst();

/** Puts limits in force, with a record of the old and the new ones. The same again changes nothing. */
export async function writeLimits(
  tx: Tx,
  change: {
    readonly account: string;
    readonly limits: object;
    readonly actor: Actor;
    /** Who stands behind it, where more than one had to. */
    readonly approvals?: readonly object[];
    readonly nowMs: number;
  },
): Promise<{ readonly isChanged: boolean; readonly limitsVersion: number }> {
  const { account, limits, actor, approvals, nowMs } = change;
  const known = await lockLimits(tx, account);
  invariant(known !== undefined, `limits are those of an account, ${account} is none`);
  if (canonicalJson(known.limits) === canonicalJson(limits)) {
    return { isChanged: false, limitsVersion: known.limitsVersion };
  }
  const limitsVersion = known.limitsVersion + 1;
  await tx
    .updateTable('account')
    .set({ limits: JSON.stringify(limits), limits_version: limitsVersion })
    .where('account_id', '=', account)
    .execute();
  await record(tx, {
    type: 'LimitsChanged',
    key: [account, limitsVersion],
    atMs: nowMs,
    actor,
    data: { account, limitsVersion, before: known.limits, after: limits, ...(approvals && { approvals }) },
  });
  return { isChanged: true, limitsVersion };
}

/** Whether anything of the account is counted in its currency now. */
async function isInUse(tx: Tx, account: string): Promise<boolean> {
  const live = await tx
    .selectFrom('trade')
    .select('trade_id')
    .where('account_id', '=', account)
    .where('phase', 'in', ['placing', 'working', 'open', 'closing'])
    .limit(1)
    .executeTakeFirst();
  return live !== undefined;
}

/** The equity is unknown until the venue's balances are read again: an amount of another asset is no equity. */
async function changeCurrency(tx: Tx, { account, currency, actor, nowMs }: Wanted, before: string): Promise<void> {
  await tx
    .updateTable('account')
    .set({ currency, equity: null, equity_at_ms: null, equity_fault: 'not read yet in the new currency' })
    .where('account_id', '=', account)
    .execute();
  await tx.deleteFrom('balance').where('account_id', '=', account).execute();
  await record(tx, {
    type: 'AccountCurrencyChanged',
    key: [account, nowMs],
    atMs: nowMs,
    actor,
    data: { account, before, after: currency },
  });
}

/**
 * Keeps the venue's last word on the account's balances, and what it is worth in its currency. `fault` says why there
 * is no equity; then the old one keeps its age and soon denies. A reading older than the one that is kept changes
 * nothing.
 */
export async function saveBalances(
  db: Db,
  read: {
    readonly account: string;
    readonly balances: readonly Balance[];
    readonly equity: Decimal | null;
    readonly fault: string | null;
    readonly nowMs: number;
  },
): Promise<void> {
  const { account, nowMs } = read;
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('account')
      .set(
        read.equity === null
          ? { equity_fault: read.fault }
          : { equity: read.equity, equity_at_ms: nowMs, equity_fault: null },
      )
      .where('account_id', '=', account)
      .where((eb) => eb.or([eb('equity_at_ms', 'is', null), eb('equity_at_ms', '<=', nowMs)]))
      .execute();
    if (read.balances.length === 0) return;
    await tx
      .insertInto('balance')
      .values(
        read.balances.map(({ asset, free, locked }) => ({
          account_id: account,
          asset,
          free,
          locked,
          observed_at_ms: nowMs,
        })),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['account_id', 'asset'])
          .doUpdateSet((eb) => ({
            free: eb.ref('excluded.free'),
            locked: eb.ref('excluded.locked'),
            observed_at_ms: eb.ref('excluded.observed_at_ms'),
          }))
          .whereRef('balance.observed_at_ms', '<=', 'excluded.observed_at_ms'),
      )
      .execute();
  });
}

/** The account with its balances as last seen, or undefined. */
export async function readAccount(db: Db, account: string): Promise<Account | undefined> {
  const row = await db.selectFrom('account').selectAll().where('account_id', '=', account).executeTakeFirst();
  if (!row) return undefined;
  const balances = await db
    .selectFrom('balance')
    .select(['asset', 'free', 'locked', 'observed_at_ms as observedAtMs'])
    .where('account_id', '=', account)
    .orderBy('asset')
    .execute();
  return {
    account: row.account_id,
    venue: row.venue,
    currency: row.currency,
    limits: row.limits,
    limitsVersion: row.limits_version,
    equity: row.equity,
    equityAtMs: row.equity_at_ms,
    equityFault: row.equity_fault,
    balances,
  };
}
