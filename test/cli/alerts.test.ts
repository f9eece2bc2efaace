import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertCode } from '../../src/domain/errors/alert-endings.ts';
import { openAlerts, raiseAlert } from '../../src/store/alerts.ts';
import { nowMs } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'ratchet-alerts-'));
let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(async () => {
  await database.close();
  rmSync(data, { recursive: true });
});

/** As a person on this machine would. */
function ratchet(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env['PATH'], HOME: data, DATABASE_URL: database.appUrl, RATCHET_DATA: data };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

async function json(...args: readonly string[]) {
  const { code, out } = await ratchet(...args, '--json');
  return { code, body: JSON.parse(out) };
}

async function raised(code: AlertCode): Promise<number> {
  await raiseAlert(database.db, { condition: code, code, severity: 'CRITICAL', context: { asset: 'BNB' }, nowMs });
  return (await openAlerts(database.db)).find((alert) => alert.code === code)?.alertId ?? 0;
}

test('a person sees what is open, ends what has happened, and not what lasts', async () => {
  const [fee, stale] = [await raised('FEE_UNVALUED'), await raised('PRICES_STALE')];
  const { out } = await ratchet('alerts');
  expect(out).toContain(`${fee}  CRITICAL  FEE_UNVALUED  since 2026-11-`);
  expect(out).toContain(`ends by hand: ratchet alerts resolve ${fee} --reason TEXT`);
  expect(out).toContain('ends with prices that come again');

  const end = (id: number | string) =>
    json('alerts', 'resolve', `${id}`, '--reason', 'added by hand', '--actor', 'anna');
  expect(await end(fee)).toMatchObject({ code: 0, body: { alertId: fee, outcome: 'resolved' } });
  expect(await end(fee)).toMatchObject({ code: 0, body: { alertId: fee, outcome: 'already' } });
  const context = { alertId: stale, code: 'PRICES_STALE', endsWith: 'prices that come again' };
  expect(await end(stale)).toMatchObject({ code: 1, body: { error: { code: 'ALERT_ENDS_BY_ITSELF', context } } });
  expect(await end('first')).toMatchObject({ code: 1, body: { error: { code: 'ALERT_UNKNOWN' } } });
  expect(await json('alerts')).toMatchObject({
    code: 0,
    body: { alerts: [{ alertId: stale, endsWith: context.endsWith }] },
  });
  const records = await database.asOwner("select body from audit_event where event_type = 'AlertResolved'");
  expect(records.map(({ body }) => JSON.parse(String(body)))).toMatchObject([
    { alertId: fee, actor: { type: 'user', id: 'anna' }, reason: 'added by hand' },
  ]);
});

test('wrong usage ends with 2', async () => {
  expect(await ratchet('alerts', 'resolve', '1')).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
  expect(await ratchet('alerts', 'dismiss')).toMatchObject({ code: 2 });
});
