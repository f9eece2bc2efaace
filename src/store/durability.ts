import { sql } from 'kysely';
import { RatchetError } from '../domain/errors.ts';
import type { Db } from './database.ts';

// Without them a confirmed commit can be lost: an intent would be forgotten whose order was sent.
const mustBeOn = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

/**
 * Refuses a database that may forget what it has confirmed (`DATABASE_NOT_DURABLE`) or that lags behind another one
 * (`DATABASE_IS_REPLICA`). To be asked at the start of every process that writes.
 */
export async function checkDurability(db: Db): Promise<void> {
  const { rows } = await sql<{ readonly name: string; readonly setting: string; readonly isReplica: boolean }>`
    select name, setting, pg_is_in_recovery() as "isReplica" from pg_settings where name = any(${mustBeOn})
  `.execute(db);
  if (rows.some((row) => row.isReplica)) throw new RatchetError('DATABASE_IS_REPLICA');
  const off = rows.find((row) => row.setting === 'off');
  if (off !== undefined) throw new RatchetError('DATABASE_NOT_DURABLE', { parameter: off.name, setting: off.setting });
}
