import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, type Transaction } from 'kysely';
import pg from 'pg';
import { type Decimal, isDecimal } from '../domain/decimal.ts';
import { RatchetError } from '../domain/errors.ts';
import { invariant } from '../domain/invariant.ts';
import { databaseError } from './database-errors.ts';
import type { Tables } from './tables.ts';

export type Db = Kysely<Tables>;
export type Tx = Transaction<Tables>;

export type DatabaseSettings = {
  readonly url: string;
  /** Shown by `pg_stat_activity`, so that who holds a lock has a name. */
  readonly applicationName: string;
  /** Connections at most. */
  readonly poolMax: number;
  /** Told of connections that the server ended. Each is replaced; nothing is lost but the statement it ran. */
  readonly onError: (error: Error) => void;
  /** Told of a record that was refused because another one has its id: somebody has to look at it. */
  readonly onEventConflict?: (error: RatchetError) => void;
};

/** What a local activity of 3 seconds can afford. Nobody holds a lock for longer than a stalled client may idle. */
const session = { lock_timeout: 1_000, statement_timeout: 2_000, idle_in_transaction_session_timeout: 1_000 } as const;
const connectTimeoutMs = 2_000;
/** More than any statement may take at the server: who hears nothing for so long talks to a server that hangs. */
const answerTimeoutMs = 8_000;
const namedMax = 500;

/**
 * A pool of sessions on the book. `numeric` is read as `Decimal`, `bigint` as a safe integer. What the database refuses
 * or can't do arrives as a `RatchetError` of the catalog. Nothing is opened before the first statement; `destroy()`
 * ends it.
 */
export function createDatabase(settings: DatabaseSettings): Db {
  const pool = new pg.Pool({
    connectionString: settings.url,
    application_name: settings.applicationName,
    max: settings.poolMax,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    types: { getTypeParser },
    ...session,
  });
  pool.on('error', settings.onError);
  // A session that the server ends while somebody holds it has no other listener, and its error would end the process.
  pool.on('connect', (client) => client.on('error', settings.onError));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: withCatalogErrors(pool, settings) }) });
}

/** Runs `work` in a transaction of its own, or in the one it is given: a part of a larger change. */
export function inTransaction<Result>(db: Db, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  return db.isTransaction ? work(db as Tx) : db.transaction().execute(work);
}

const integerTypes: ReadonlySet<number> = new Set([pg.types.builtins.INT8]);

const getTypeParser: typeof pg.types.getTypeParser = (type: number, format?: 'text' | 'binary') => {
  if (integerTypes.has(type)) return safeInteger;
  if (type === pg.types.builtins.NUMERIC) return exactDecimal;
  return pg.types.getTypeParser(type, format as 'text');
};

/** PostgreSQL writes plain decimals, with the zeros of their scale: without those they are ours. */
function exactDecimal(text: string): Decimal {
  invariant(isDecimal(text), `a numeric of ours is a plain decimal, was ${text}`);
  return (text.includes('.') ? text.replace(/\.?0+$/, '') : text) as Decimal;
}

function safeInteger(text: string): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value), `a bigint of ours is a safe integer, was ${text}`);
  return value;
}

function withCatalogErrors(pool: pg.Pool, { onEventConflict }: DatabaseSettings): PostgresPool {
  const prepared = createStatementNames();
  const rethrow = (error: unknown): never => {
    const known = databaseError(error);
    if (known instanceof RatchetError && known.code === 'EVENT_CONFLICT') onEventConflict?.(known);
    throw known;
  };
  return {
    connect: async () => guarded(await pool.connect().catch(rethrow), prepared, rethrow),
    end: () => pool.end(),
  };
}

type Prepare = (text: string, parameters: readonly unknown[]) => pg.QueryConfig;

/**
 * Gives each statement with parameters a name, by which a session parses and plans it once: that is a third of what the
 * server spends on it. Lists of many lengths make many statements, so only the first ones get a name.
 */
function createStatementNames(): Prepare {
  const names = new Map<string, string>();
  return (text, parameters) => {
    const values = [...parameters];
    if (values.length > 0 && names.size < namedMax && !names.has(text)) names.set(text, `s${names.size + 1}`);
    const name = names.get(text);
    return { text, values, ...(name !== undefined && { name }) };
  };
}

function guarded(client: pg.PoolClient, prepared: Prepare, rethrow: (error: unknown) => never): PostgresPoolClient {
  let isLost = false;
  const query = async (statement: string, parameters: readonly unknown[]) => {
    const result = await client.query(prepared(statement, parameters)).catch((error: unknown) => {
      isLost ||= endsSession(error);
      return rethrow(error);
    });
    // A transaction that failed answers COMMIT with ROLLBACK and throws nothing: nobody may believe it.
    invariant(statement !== 'commit' || result.command === 'COMMIT', 'a failed transaction is not committed');
    return result;
  };
  // Kysely asks for the cursor form of `query` only to stream, which nothing here does. A session that has ended is not
  // given to the next one, even while its socket is still closing.
  return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release(isLost) };
}

// A session keeps the plans of its statements, and a migration beside it may leave one that never works again.
const isPlanOutdated = ({ code, message }: pg.DatabaseError): boolean =>
  code === '0A000' && message.includes('cached plan');

const endsSession = (error: unknown): boolean =>
  !(error instanceof pg.DatabaseError) ||
  error.severity === 'FATAL' ||
  error.severity === 'PANIC' ||
  isPlanOutdated(error);
