import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Db } from '../../../src/store/database.ts';
import type { Tables } from '../../../src/store/tables.ts';
import type { Stage } from './stage.ts';

type Connection = DatabaseConnection & {
  isOpen: boolean;
  run(query: CompiledQuery): Promise<QueryResult<unknown>>;
  release(): void;
};

type Hooks = {
  /** Told of each intent that is committed. */
  readonly onIntent?: (clientOrderId: string) => void;
  /** Runs around each statement. */
  readonly busy?: <Result>(work: Promise<Result>) => Promise<Result>;
};

/** The same database with the stage's boundaries around each statement. */
export function stagedDatabase(inner: Db, stage: Stage, hooks: Hooks): Db {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createDriver: () => stagedDriver(inner, stage, hooks),
    },
  });
}

function stagedDriver(inner: Db, stage: Stage, hooks: Hooks): Driver {
  const { onIntent = () => undefined, busy = (work) => work } = hooks;
  const carriedOut = async (connection: Connection, query: CompiledQuery): Promise<QueryResult<unknown>> => {
    await stage.pass('database', connection.isOpen);
    const result = await busy(connection.run(query));
    noteIntent(query, result, onIntent);
    await stage.pass('database', connection.isOpen);
    return result;
  };
  const open = (connection: DatabaseConnection): Connection => connection as Connection;
  return {
    init: async () => undefined,
    destroy: async () => undefined,
    acquireConnection: () => acquire(inner, carriedOut),
    releaseConnection: async (connection) => open(connection).release(),
    async beginTransaction(connection) {
      await open(connection).run(CompiledQuery.raw('begin'));
      open(connection).isOpen = true;
    },
    async commitTransaction(connection) {
      await stage.pass('database', true);
      await busy(open(connection).run(CompiledQuery.raw('commit')));
      open(connection).isOpen = false;
      await stage.pass('database');
    },
    // Whatever became of the attempt, the server rolls back what was not committed.
    async rollbackTransaction(connection) {
      await open(connection).run(CompiledQuery.raw('rollback'));
      open(connection).isOpen = false;
    },
  };
}

function acquire(
  inner: Db,
  carriedOut: (connection: Connection, query: CompiledQuery) => Promise<QueryResult<unknown>>,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const held = inner.connection().execute(
      (db) =>
        new Promise<void>((release) => {
          const connection: Connection = {
            isOpen: false,
            run: (query) => db.executeQuery(query),
            release,
            // biome-ignore lint/suspicious/noExplicitAny: the shape of rows is the caller's business
            executeQuery: (query) => carriedOut(connection, query) as Promise<QueryResult<any>>,
            streamQuery: () => {
              throw new Error('nothing here streams');
            },
          };
          resolve(connection);
        }),
    );
    held.catch(reject);
  });
}

const intentStatement = /from commit_(entry|exit|stop|resend|replace)_intent\(/;

function noteIntent({ sql, parameters }: CompiledQuery, { rows }: QueryResult<unknown>, note: (id: string) => void) {
  if (!intentStatement.test(sql) || (rows[0] as { outcome?: string } | undefined)?.outcome !== 'committed') return;
  for (const parameter of parameters) {
    if (typeof parameter !== 'string' || !parameter.startsWith('{"client_order_id"')) continue;
    note((JSON.parse(parameter) as { client_order_id: string }).client_order_id);
  }
}
