import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { grantApplicationRole, migrate } from '../../src/store/migrate.ts';
import { applicationRole, templateDatabase, withDatabase } from './postgres-names.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
  }
}

/**
 * Starts one PostgreSQL for the whole run, or takes that of RATCHET_TEST_DATABASE_URL (its role must be allowed to
 * create databases and roles), and makes the migrated template every test database is copied from.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['RATCHET_TEST_DATABASE_URL'];
  const server = given === undefined ? await startServer() : { url: given, stop: async () => {} };
  await makeTemplate(server.url);
  project.provide('postgresUrl', server.url);
  return server.stop;
}

async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`drop database if exists ${templateDatabase}`);
  await client.query(`create database ${templateDatabase}`);
  await client.end();
  const ownerUrl = withDatabase(url, templateDatabase);
  await migrate({ ownerUrl });
  await grantApplicationRole({ ownerUrl, ...applicationRole });
}

async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./postgres-server.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Of its own process group: Ctrl-C must reach the tests first, and the server by its closed pipe.
    detached: true,
  });
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed(child)]);
  const { url } = JSON.parse(line) as { url: string };
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  };
  return { url, stop };
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the test database did not start (exit code ${code})`);
}
