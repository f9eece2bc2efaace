import { sql } from 'kysely';
import { add, type Decimal, isZero, subtract, zero } from '../../domain/decimal.ts';
import type { Expectation, Holding } from '../../domain/reconciliation/holdings.ts';
import type { Tx } from '../database.ts';
import { record } from '../record.ts';

/** Fills observed longer ago than this are folded in: no clock of ours is off by so much. */
export const unfoldedMs = 3_600_000;

/**
 * Takes the balances of the beginning for what is expected: what the venue has, less what our own fills have made of it
 * since. Later only a person's approval changes what is expected.
 */
export async function takeBaseline(
  tx: Tx,
  taken: {
    readonly account: string;
    readonly balances: readonly Holding[];
    /** As the book expects it from its fills alone, with none on its way. */
    readonly fromFills: Expectation['before'];
    readonly nowMs: number;
  },
): Promise<void> {
  const { account, balances, fromFills, nowMs } = taken;
  const opening = new Map<string, Decimal>(balances.map(({ asset, free, locked }) => [asset, add(free, locked)]));
  for (const [asset, change] of Object.entries(fromFills)) {
    opening.set(asset, subtract(opening.get(asset) ?? zero, change));
  }
  const rows = [...opening]
    .filter(([, quantity]) => !isZero(quantity))
    .map(([asset, quantity]) => ({ account_id: account, asset, quantity }));
  if (rows.length > 0) await tx.insertInto('expected_balance').values(rows).execute();
  await tx
    .updateTable('reconciliation')
    .set({ has_baseline: true, version: sql`version + 1` })
    .where('account_id', '=', account)
    .execute();
  await record(tx, {
    type: 'BaselineTaken',
    key: [account],
    atMs: nowMs,
    actor: { type: 'system', id: 'reconciliation' },
    data: {
      account,
      balances: Object.fromEntries(balances.map(({ asset, free, locked }) => [asset, { free, locked }])),
    },
  });
}

/** Expects so much more of an asset from now on, or less. */
export async function expectChange(tx: Tx, account: string, asset: string, change: Decimal): Promise<void> {
  await sql`
    insert into expected_balance (account_id, asset, quantity) values (${account}, ${asset}, ${change})
    on conflict (account_id, asset) do update set quantity = expected_balance.quantity + excluded.quantity
  `.execute(tx);
}

/** Adds fills of long ago to the expected balances for good, so that a look does not add up all that ever were. */
export async function foldFills(tx: Tx, account: string, foldedUntilMs: number, nowMs: number): Promise<void> {
  const untilMs = nowMs - unfoldedMs;
  if (untilMs - foldedUntilMs < unfoldedMs) return;
  await sql`
    insert into expected_balance (account_id, asset, quantity)
    select account_id, asset, sum(change) from balance_flow
    where account_id = ${account} and observed_at_ms >= ${foldedUntilMs} and observed_at_ms < ${untilMs}
    group by account_id, asset
    on conflict (account_id, asset) do update set quantity = expected_balance.quantity + excluded.quantity
  `.execute(tx);
  await tx.updateTable('reconciliation').set({ folded_until_ms: untilMs }).where('account_id', '=', account).execute();
}
