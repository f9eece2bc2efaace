import { sql } from 'kysely';
import type { ErrorCode, ErrorContext } from '../../domain/errors.ts';
import { raiseAlert, resolveAlert } from '../alerts.ts';
import { type Db, inTransaction } from '../database.ts';
import { banCondition } from '../fleet/venue-bans.ts';
import { liftHold, setHold } from './holds.ts';

/** Why a venue's own answers block all entries of an account. */
export type VenueRefusal = {
  readonly account: string;
  readonly venue: string;
  readonly code: Extract<ErrorCode, 'VENUE_KEY_REFUSED' | 'VENUE_CLOCK_REFUSED'>;
  readonly reason: string;
  readonly context: ErrorContext;
  readonly nowMs: number;
};

const conditions: Record<VenueRefusal['code'], string> = {
  VENUE_KEY_REFUSED: 'venue-key-refused',
  VENUE_CLOCK_REFUSED: 'venue-clock-refused',
};

const conditionOf = (code: VenueRefusal['code'], account: string, venue: string): string =>
  `${conditions[code]}:${account}:${venue}`;

/** Blocks the account's entries and pages somebody. Exits are never blocked: they go on trying. */
export function holdForVenue(db: Db, refusal: VenueRefusal): Promise<void> {
  const { account, venue, code, reason, context, nowMs } = refusal;
  return inTransaction(db, async (tx) => {
    await setHold(tx, {
      scope: { kind: 'account', id: account },
      source: 'venue',
      level: 'entries-blocked',
      actor: venue,
      reason,
      nowMs,
    });
    await raiseAlert(tx, {
      condition: conditionOf(code, account, venue),
      code,
      severity: 'CRITICAL',
      context: { account, venue, ...context },
      nowMs,
    });
  });
}

/** Whether answers of the venue block the account's entries now, and whether people were told of a ban. */
export async function venueTroubles(
  db: Db,
  { account, venue }: { readonly account: string; readonly venue: string },
): Promise<{ readonly isHeld: boolean; readonly isBanned: boolean }> {
  const { rows } = await sql<{ readonly isHeld: boolean; readonly isBanned: boolean }>`
    select exists (select 1 from hold where scope_kind = 'account' and scope_id = ${account} and source = 'venue'
        and lifted_at_ms is null) as "isHeld",
      exists (select 1 from alert where condition_key = ${banCondition(account, venue)} and resolved_at_ms is null)
        as "isBanned"
  `.execute(db);
  return rows[0] ?? { isHeld: false, isBanned: false };
}

/** The venue takes the key and the clock again: its own hold ends, and the alerts with it. */
export function liftForVenue(
  db: Db,
  { account, venue, nowMs }: { readonly account: string; readonly venue: string; readonly nowMs: number },
): Promise<void> {
  return inTransaction(db, async (tx) => {
    const reason = 'the venue answers a signed request again';
    await liftHold(tx, { scope: { kind: 'account', id: account }, source: 'venue', actor: venue, reason, nowMs });
    for (const code of ['VENUE_KEY_REFUSED', 'VENUE_CLOCK_REFUSED'] as const) {
      await resolveAlert(tx, { condition: conditionOf(code, account, venue), nowMs });
    }
  });
}
