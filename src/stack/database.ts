import { readFileSync } from 'node:fs';
import { StackFailure } from './failure.ts';

/** The addresses of the database: as the role that works in it, and as the one that owns the tables. */
export type Database = { readonly url: string; readonly ownerUrl: string };

/**
 * The database that the environment names (`DATABASE_URL`, `DATABASE_OWNER_URL`, or `…_FILE`), which is used as it is.
 * Where no owner is named, the one role does both.
 *
 * @throws StackFailure when it is no address or its file cannot be read.
 */
export function givenDatabase(environment: NodeJS.ProcessEnv): Database | undefined {
  const url = addressOf('DATABASE_URL', environment);
  if (url === undefined) return undefined;
  return { url, ownerUrl: addressOf('DATABASE_OWNER_URL', environment) ?? url };
}

function addressOf(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  const file = environment[`${name}_FILE`];
  const text = environment[name] || (file ? readAddress(name, file) : undefined);
  if (text === undefined || /^postgres(ql)?:$/.test(URL.canParse(text) ? new URL(text).protocol : '')) return text;
  throw new StackFailure(
    `${name} is not the address of a PostgreSQL.`,
    `give it the form postgresql://user:password@host:5432/ratchet, or unset it to get an embedded PostgreSQL`,
  );
}

function readAddress(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new StackFailure(
      `${name}_FILE cannot be read: ${String(error)}`,
      'name a file that can be read, or unset it',
    );
  }
}
