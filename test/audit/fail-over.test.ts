import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Db } from '../../src/store/database.ts';
import { anApiProcess } from './api-process.ts';
import { aFolder } from './fixtures.ts';
import { anOwnPostgres, type OwnPostgres } from './own-postgres.ts';
import { recordsOfATrade, recordTrade } from './recording.ts';

let postgres: OwnPostgres;
let db: Db;
beforeEach(async () => {
  postgres = await anOwnPostgres();
  db = postgres.pool();
});
afterEach(() => postgres.close());

const copyOf = (): string => `${postgres.dataFolder}.copy`;
/** What a stand-by has whose primary is gone: everything up to some moment. Owners and modes stay. */
const keepCopy = (): unknown => execFileSync('cp', ['-a', postgres.dataFolder, copyOf()]);
const bringBackCopy = (): unknown =>
  execFileSync('sh', ['-c', 'rm -r "$0" && mv "$1" "$0"', postgres.dataFolder, copyOf()]);

async function sealedUpTo(): Promise<number> {
  const [row] = await postgres.asOwner('select coalesce(max(size), 0)::int as size from audit_checkpoint');
  return Number(row?.['size']);
}

describe('F61: a fail-over lost the tail that was committed last', () => {
  test('the process refuses to start, and names the records that are missing', async () => {
    const dataFolder = aFolder();
    const start = () => anApiProcess({ databaseUrl: postgres.appUrl, dataFolder });
    const records = async (tradeId: string, upTo: number): Promise<void> => {
      await recordTrade(db, tradeId);
      await vi.waitFor(async () => expect(await sealedUpTo()).toBe(upTo), 30_000);
    };
    const first = start();
    await first.ready;
    await records('t-1', recordsOfATrade);
    await postgres.stop('fast');
    keepCopy();
    await postgres.start();
    await records('t-2', 2 * recordsOfATrade);
    await records('t-3', 3 * recordsOfATrade);
    first.stop();
    expect(await first.ended).toBe(0);
    // As long as nothing is lost it starts again.
    const second = start();
    await second.ready;
    second.stop();
    await second.ended;

    await postgres.stop('fast');
    bringBackCopy();
    await postgres.start();
    const third = start();
    expect(await third.ended).toBe(1);
    expect(third.output()).toContain('AUDIT_TAIL_LOST');
    expect(third.output()).toContain(`firstMissingSeq=${recordsOfATrade + 1}, lastMissingSeq=${3 * recordsOfATrade}`);
    expect(third.output()).not.toContain('"ready":true');
  }, 120_000);

  test('the process refuses to start where such a loss would be possible', async () => {
    await postgres.asOwner('alter system set synchronous_commit = off');
    await postgres.stop('fast');
    await postgres.start();
    const process = anApiProcess({ databaseUrl: postgres.appUrl, dataFolder: join(aFolder(), 'data') });
    expect(await process.ended).toBe(1);
    expect(process.output()).toMatch(/DATABASE_NOT_DURABLE: .*synchronous_commit/);
  }, 60_000);
});
