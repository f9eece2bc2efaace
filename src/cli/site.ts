import { userInfo } from 'node:os';
import { type Config, loadConfig } from '../config/config.ts';
import { readStackFile, type StackFile } from '../config/stack-file.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { createDatabase, type Db } from '../store/database.ts';

/** Options that every command has. */
export type GlobalOptions = { readonly data: string; readonly json: boolean; readonly actor?: string };

/** Where the stack is: the environment first, then the addresses that the stack wrote when it was started. */
export type Site = {
  readonly config: Config;
  readonly stack: StackFile | undefined;
  readonly databaseUrl: string;
  /** Of the stack that was started here, else of the environment: the one account of a command that names none. */
  readonly account: string;
  readonly venue: string;
  /** Who asks, for the record. */
  readonly actor: string;
};

/** @throws RatchetError STACK_NOT_FOUND when neither the environment nor the data folder names a database. */
export function findSite(options: GlobalOptions): Site {
  const config = loadConfig({ ...process.env, RATCHET_DATA: options.data });
  const stack = readStackFile(options.data);
  const databaseUrl = config.DATABASE_URL?.reveal() ?? stack?.database.url;
  if (databaseUrl === undefined) throw new RatchetError('STACK_NOT_FOUND', { data: options.data });
  return {
    config,
    stack,
    databaseUrl,
    account: stack?.account ?? config.RATCHET_ACCOUNT,
    venue: stack?.venue ?? config.RATCHET_VENUE,
    actor: options.actor ?? systemUser(),
  };
}

/** Runs a command on the database of the stack. It needs neither Temporal nor the API. */
export async function withDatabase<Result>(
  options: GlobalOptions,
  work: (db: Db, site: Site) => Promise<Result>,
): Promise<Result> {
  const site = findSite(options);
  const db = createDatabase({
    url: site.databaseUrl,
    applicationName: 'ratchet-cli',
    poolMax: 2,
    // A session that ends while it is idle is opened again by the next statement, which says what is wrong.
    onError: () => {},
  });
  try {
    return await work(db, site);
  } catch (error) {
    throw hasStopped(error, site) ? new RatchetError('STACK_NOT_RUNNING', { data: options.data }) : error;
  } finally {
    await db.destroy();
  }
}

/** Whether a command failed because the database is away, for whatever reason. */
export const isAway = (error: unknown): boolean =>
  error instanceof RatchetError && (error.code === 'DATABASE_UNAVAILABLE' || error.code === 'STACK_NOT_RUNNING');

/** Whether the database is silent because the stack that it belongs to was ended. */
function hasStopped(error: unknown, { config, stack }: Site): boolean {
  if (!(error instanceof RatchetError) || error.code !== 'DATABASE_UNAVAILABLE') return false;
  if (config.DATABASE_URL !== undefined || stack?.supervisorPid === undefined) return false;
  try {
    process.kill(stack.supervisorPid, 0);
    return false;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
