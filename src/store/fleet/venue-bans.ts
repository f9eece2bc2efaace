import { subtract } from '../../domain/decimal.ts';
import { raiseAlert, resolveAlert } from '../alerts.ts';
import type { Db } from '../database.ts';

type Ban = {
  readonly account: string;
  readonly venue: string;
  readonly untilMs: number;
  readonly reason: string;
  readonly nowMs: number;
};

export const banCondition = (account: string, venue: string): string => `venue-banned:${account}:${venue}`;

/**
 * Tells people of a ban: when it ends, and which positions nobody can close over REST until then. A longer ban is told
 * again.
 */
export function raiseBan(db: Db, { account, venue, untilMs, reason, nowMs }: Ban): Promise<void> {
  const condition = banCondition(account, venue);
  const endsAt = new Date(untilMs).toISOString();
  return db.transaction().execute(async (tx) => {
    const known = await tx
      .selectFrom('alert')
      .select('context')
      .where('condition_key', '=', condition)
      .where('resolved_at_ms', 'is', null)
      .forUpdate()
      .executeTakeFirst();
    if (known?.context['endsAt'] === endsAt) return;
    if (known !== undefined) await resolveAlert(tx, { condition, nowMs });
    const positions = await openPositions(tx, account);
    await raiseAlert(tx, {
      condition,
      code: 'VENUE_BANNED',
      severity: 'CRITICAL',
      context: { account, venue, endsAt, unmanagedByRest: positions.join(', ') || 'none', reason },
      nowMs,
    });
  });
}

/** The venue answers again. */
export const endBan = (db: Db, { account, venue, nowMs }: Omit<Ban, 'untilMs' | 'reason'>): Promise<boolean> =>
  resolveAlert(db, { condition: banCondition(account, venue), nowMs });

async function openPositions(db: Db, account: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('position')
    .select(['trade_id', 'symbol', 'side', 'entry_quantity', 'exit_quantity', 'base_fee'])
    .where('account_id', '=', account)
    .where('is_open', '=', true)
    .orderBy('trade_id')
    .execute();
  return rows.map(({ trade_id, symbol, side, entry_quantity, exit_quantity, base_fee }) => {
    const held = subtract(subtract(entry_quantity, exit_quantity), base_fee);
    return `${trade_id}: ${side} ${held} ${symbol}`;
  });
}
