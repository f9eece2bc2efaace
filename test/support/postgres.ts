import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { createDatabase, type Db } from '../../src/store/database.ts';
import { applicationRole, templateDatabase, withDatabase } from './postgres-names.ts';

export type TestDatabase = {
  /** As the application's role: what the product itself uses. */
  readonly db: Db;
  readonly appUrl: string;
  /** For what only an owner or a forger may do. */
  readonly ownerUrl: string;
  /** A pool of its own, as another process would have one. Closed with the rest. */
  another(poolMax?: number): Db;
  /** Runs a statement as the owner. */
  asOwner(statement: string, parameters?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
};

/** A fresh, migrated database, with no account in it. */
export async function aDatabase({ poolMax = 10 }: { readonly poolMax?: number } = {}): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asOwner(serverUrl, `create database ${name} template ${templateDatabase}`);
  const ownerUrl = withDatabase(serverUrl, name);
  const appUrl = asApplication(ownerUrl);
  const opened: Db[] = [];
  const another = (max = 10) => {
    const db = createDatabase({ url: appUrl, applicationName: 'test', poolMax: max, onError: () => {} });
    opened.push(db);
    return db;
  };
  return {
    db: another(poolMax),
    appUrl,
    ownerUrl,
    another,
    asOwner: (statement, parameters) => asOwner(ownerUrl, statement, parameters),
    async close() {
      await Promise.all(opened.map((db) => db.destroy()));
      await asOwner(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

function asApplication(ownerUrl: string): string {
  const url = new URL(ownerUrl);
  url.username = applicationRole.role;
  url.password = applicationRole.password;
  return url.href;
}

async function asOwner(
  url: string,
  statement: string,
  parameters: readonly unknown[] = [],
): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const result = await client.query(statement, [...parameters]);
    return result.rows;
  } finally {
    await client.end();
  }
}
