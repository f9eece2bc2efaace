import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Kysely, type Migration, type MigrationProvider, Migrator, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { databaseError } from './database-errors.ts';

// Beside this file in the sources; the compiler copies no SQL, so the compiled file reads that of the sources.
const candidates = [
  new URL('./migrations/', import.meta.url),
  new URL('../../../src/store/migrations/', import.meta.url),
];

/** Brings the schema up to date, all of it or nothing. Several may call it at once. Returns what was applied now. */
export async function migrate({ ownerUrl }: { readonly ownerUrl: string }): Promise<readonly string[]> {
  return asOwner(ownerUrl, async (db) => {
    const { error, results } = await new Migrator({ db, provider: sqlFiles() }).migrateToLatest();
    if (error !== undefined) throw databaseError(error);
    return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
  });
}

/**
 * Makes (or updates) the role that workers and the API use: it reads and writes the book, and of the record it can only
 * add and read. The owner's role is for `migrate` and nothing else.
 */
export async function grantApplicationRole(grant: {
  readonly ownerUrl: string;
  readonly role: string;
  readonly password: string;
}): Promise<void> {
  await asOwner(grant.ownerUrl, async (db) => {
    const role = sql.id(grant.role);
    const exists = await sql`select 1 from pg_roles where rolname = ${grant.role}`.execute(db);
    if (exists.rows.length === 0) await sql`create role ${role} login`.execute(db);
    await sql`alter role ${role} with login password ${sql.lit(grant.password)}`.execute(db);
    await sql`grant usage on schema public to ${role}`.execute(db);
    await sql`grant select on all tables in schema public to ${role}`.execute(db);
    const book = sql.join(bookTables.map((table) => sql.table(table)));
    await sql`grant insert, update, delete on ${book} to ${role}`.execute(db);
    await sql`grant usage on all sequences in schema public to ${role}`.execute(db);
    await sql`grant execute on all functions in schema public to ${role}`.execute(db);
    await sql`grant insert (event_id, event_type, trade_id, body) on audit_event to ${role}`.execute(db);
    await sql`grant insert on audit_checkpoint to ${role}`.execute(db);
  });
}

const bookTables = [
  'account',
  'balance',
  'trade',
  'reservation',
  'position',
  'orders',
  'order_send',
  'fill',
  'exit_request',
  'outbox',
  'command',
  'alert',
  'api_key',
  'watch_shard',
  'watch_cursor',
  'guard',
  'hold',
  'breaker_outcome',
  'breaker',
  'breaker_probe',
  'reconciliation',
  'expected_balance',
  'difference',
  'correction',
  'rate_window',
  'rate_pause',
  'cancel_sweep',
  'approval_policy',
  'approval',
  'approval_vote',
  'worker_lease',
];

function sqlFiles(): MigrationProvider {
  return {
    async getMigrations() {
      const folder = candidates.find((candidate) => existsSync(fileURLToPath(candidate))) ?? candidates[0];
      const files = (await readdir(folder as URL)).filter((file) => file.endsWith('.sql'));
      const migrations: Record<string, Migration> = {};
      for (const file of files) {
        const text = await readFile(new URL(file, folder), 'utf8');
        migrations[file.slice(0, -'.sql'.length)] = { up: async (db) => void (await sql.raw(text).execute(db)) };
      }
      return migrations;
    },
  };
}

async function asOwner<Result>(url: string, work: (db: Kysely<unknown>) => Promise<Result>): Promise<Result> {
  const pool = new pg.Pool({ connectionString: url, max: 1, application_name: 'ratchet-setup' });
  pool.on('error', () => {});
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await work(db);
  } catch (error) {
    throw databaseError(error);
  } finally {
    await db.destroy();
  }
}
