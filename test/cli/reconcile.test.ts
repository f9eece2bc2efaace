import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Difference } from '../../src/domain/reconciliation/difference.ts';
import { commitLook } from '../../src/store/reconciliation/commit.ts';
import { readStanding } from '../../src/store/reconciliation/compared-book.ts';
import { settleCorrection } from '../../src/store/reconciliation/corrections.ts';
import { d, nowMs, openAccount } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const drift: Difference = {
  kind: 'balance',
  asset: 'USDT',
  expected: d('100'),
  actual: d('90'),
  drift: d('-10'),
};
let database: TestDatabase;

beforeAll(async () => {
  database = await aDatabase();
  const { db } = database;
  await openAccount(db);
  const { version } = await readStanding(db, { account: 'main', nowMs });
  await commitLook(db, {
    account: 'main',
    venue: 'paper',
    version,
    startedAtMs: nowMs,
    look: { differences: [drift], unavailable: {} },
    harmless: [],
    suspects: [drift],
    baseline: null,
    askedBy: null,
    correctionTimeoutMs: 60_000,
    tolerances: { currency: 'USDT', byAsset: {} },
    nowMs,
  });
});
afterAll(() => database.close());

/** Nothing listens where Temporal should be. */
function ratchet(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: database.appUrl,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    HOME: '/nowhere',
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: out + err }),
    );
  });
}

describe('ratchet corrections', () => {
  test('says what differs, what an approval does and until when it waits, in words and as JSON', async () => {
    const { code, out } = await ratchet('corrections');
    expect(code).toBe(0);
    expect(out).toContain('balance-USDT-1  proposed  2026-11-21 12:00:00');
    expect(out).toContain('USDT: the venue has 90, expected 100, a drift of -10');
    expect(out).toContain('approved: take -10 USDT for a transfer, so that 90 is expected');
    expect(out).toContain('waits until 2026-11-21 12:01:00');
    const asJson = await ratchet('corrections', '--json');
    expect(JSON.parse(asJson.out)).toMatchObject({ corrections: [{ correctionId: 'balance-USDT-1' }] });
  });
});

describe('ratchet reconcile and approve', () => {
  test.each([{ args: ['reconcile'] }, { args: ['approve', 'balance-USDT-1', '--reason', 'it was me'] }])(
    'need Temporal, and say so with an exit code that means: try again ($args)',
    async ({ args }) => {
      const { code, out } = await ratchet(...args, '--json');
      expect(code).toBe(3);
      expect(JSON.parse(out)).toMatchObject({ error: { code: 'TEMPORAL_UNAVAILABLE' } });
    },
  );

  test.each([
    { what: 'without a reason', args: ['approve', 'balance-USDT-1'], code: 2 },
    { what: 'of a correction nobody knows', args: ['approve', 'balance-XYZ-1', '--reason', 'x'], code: 1 },
  ])('refuse a decision $what', async ({ args, code }) => {
    expect((await ratchet(...args)).code).toBe(code);
  });

  test('find a decision that was carried out, and refuse the other one, without Temporal', async () => {
    const who = { actor: 'ana', reason: 'it was me', nowMs };
    await settleCorrection(database.db, { correctionId: 'balance-USDT-1', verdict: 'approved', ...who });
    const again = await ratchet('approve', 'balance-USDT-1', '--reason', 'again');
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('by ana: it was me') });
    const other = await ratchet('reject', 'balance-USDT-1', '--reason', 'no');
    expect(other).toMatchObject({ code: 1, out: expect.stringContaining('CORRECTION_DECIDED') });
  });
});
