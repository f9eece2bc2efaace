import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Difference } from '../../src/domain/reconciliation/difference.ts';
import { commitLook, markRun } from '../../src/store/reconciliation/commit.ts';
import { readStanding } from '../../src/store/reconciliation/compared-book.ts';
import { settleCorrection } from '../../src/store/reconciliation/corrections.ts';
import { d, nowMs } from '../store/fixtures.ts';
import { anApi, keys, type TestApi } from './an-api.ts';

let api: TestApi;
const ids: Record<string, string> = {};

const drift = (asset: string): Difference => ({
  kind: 'balance',
  asset,
  expected: d('100'),
  actual: d('90'),
  drift: d('-10'),
});

beforeAll(async () => {
  api = await anApi();
  const { db } = api.database;
  const { version } = await readStanding(db, { account: 'main', nowMs });
  const differences = [drift('USDT'), drift('BTC'), drift('ETH')];
  await commitLook(db, {
    account: 'main',
    venue: 'paper',
    version,
    startedAtMs: nowMs,
    look: { differences, unavailable: {} },
    harmless: [],
    suspects: differences,
    baseline: null,
    askedBy: null,
    correctionTimeoutMs: 60_000,
    tolerances: { currency: 'USDT', byAsset: {} },
    nowMs,
  });
  const { corrections } = (await api.call('GET', '/v1/corrections')).body as {
    corrections: readonly { correctionId: string }[];
  };
  for (const { correctionId } of corrections) ids[correctionId.split('-')[1] ?? ''] = correctionId;
  const who = { actor: 'ana', reason: 'it was me', nowMs };
  await settleCorrection(db, { correctionId: ids['BTC'] ?? '', verdict: 'approved', ...who });
  await settleCorrection(db, { correctionId: ids['ETH'] ?? '', verdict: 'rejected', ...who });
  await markRun(db, {
    account: 'main',
    venue: 'paper',
    startedAtMs: nowMs,
    finishedAtMs: nowMs,
    outcome: 'differences',
    parts: { orders: 'read', fills: 'read', balances: 'read', positions: 'read' },
    found: 3,
    changed: 0,
    gone: 0,
    differences: [],
  });
});
afterAll(() => api.close());

describe('the state of the reconciliation', () => {
  test('shows what differs, in words and fields, with what waits for a decision', async () => {
    const { status, body } = await api.call('GET', '/v1/reconciliations', undefined, keys.read);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      completedAtMs: nowMs,
      cleanAtMs: null,
      lastRun: { outcome: 'differences', found: 3 },
      differences: [
        { correctionId: ids['USDT'], difference: { asset: 'USDT', drift: '-10' } },
        { correctionId: null, difference: { asset: 'ETH' } },
      ],
    });
  });

  test('shows corrections, those that wait first', async () => {
    const { body } = await api.call('GET', '/v1/corrections', undefined, keys.read);
    const { corrections } = body as { corrections: readonly { state: string; effect: string }[] };
    expect(corrections[0]).toMatchObject({
      state: 'proposed',
      effect: 'take -10 USDT for a transfer, so that 90 is expected',
    });
    expect(corrections.map(({ state }) => state).sort()).toEqual(['applied', 'proposed', 'rejected']);
  });
});

describe('a decision', () => {
  const decide = (id: string, verdict: string, body: unknown = { reason: 'again' }, key: string = keys.operate) =>
    api.call('POST', `/v1/corrections/${id}/${verdict}`, body, key);

  test('that was carried out already is answered with what became of it', async () => {
    expect(await decide(ids['BTC'] ?? '', 'approve')).toMatchObject({ status: 200, body: { state: 'applied' } });
    expect(await decide(ids['ETH'] ?? '', 'reject')).toMatchObject({ status: 200, body: { state: 'rejected' } });
  });

  test('for the other way is refused', async () => {
    expect(await decide(ids['BTC'] ?? '', 'reject')).toMatchObject({
      status: 409,
      body: { code: 'CORRECTION_DECIDED', context: { state: 'applied' } },
    });
  });

  test('on a correction that nobody knows is refused', async () => {
    expect(await decide('balance-XYZ-9', 'approve')).toMatchObject({
      status: 404,
      body: { code: 'CORRECTION_UNKNOWN' },
    });
  });

  test('without a reason is refused with the field', async () => {
    const answer = await decide(ids['USDT'] ?? '', 'approve', {});
    expect(answer).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID', faults: [{ field: 'reason' }] } });
  });

  test.each([keys.read, keys.trade])('is not for the key %s', async (key) => {
    expect(await decide(ids['USDT'] ?? '', 'approve', { reason: 'x' }, key)).toMatchObject({ status: 403 });
    expect(await api.call('POST', '/v1/reconciliations', {}, key)).toMatchObject({ status: 403 });
  });
});
