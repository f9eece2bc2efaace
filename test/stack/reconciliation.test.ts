import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CorrectionView, ReconciliationReport } from '../../src/contracts/messages/reconciliation.ts';
import { type Row, type Stack, startStack } from '../support/stack.ts';
import { enter, openTrade, untilPhase, untilSettled } from '../support/trading.ts';
import { until } from '../support/until.ts';

// A person moves and trades things at the venue behind the product's back, while real processes run. Times are the
// venue's own and those of the book; both are of this machine's clock. With
// FULL_LENGTH at the interval that is the default, else more often: each of these tests waits for several runs.
const everyMs = process.env['FULL_LENGTH'] ? 20_000 : 5_000;
const interval = everyMs === 20_000 ? {} : { RATCHET_RECONCILE_EVERY_MS: String(everyMs) };
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ crashPoints: ['afterDifferences'], environment: interval });
  await untilRun(0);
}, 120_000);
afterAll(() => stack?.stop(), 60_000);
afterEach(async () => {
  await approveAll();
  await until('the book and the venue agree', async () => reconcile().report.outcome === 'clean');
});

type Stands = Row & { readonly completed_at_ms: string | null };

/** Until a run of the schedule that began later than that has read everything. */
const untilRun = (afterMs: number): Promise<unknown> =>
  until('a reconciliation has run', async () => {
    const [row] = await stack.sql<Stands>('select completed_at_ms from reconciliation where has_baseline');
    return Number(row?.completed_at_ms ?? 0) > afterMs;
  });

const reconcile = () => {
  const { code, output } = stack.ratchet('reconcile', '--json', '--actor', 'ana');
  return { code, report: JSON.parse(output) as ReconciliationReport };
};

const corrections = (): readonly CorrectionView[] =>
  (JSON.parse(stack.ratchet('corrections', '--json').output) as { corrections: readonly CorrectionView[] }).corrections;

async function approveAll(): Promise<void> {
  for (const { correctionId, state } of corrections()) {
    if (state !== 'proposed') continue;
    await until(`${correctionId} is approved`, async () => {
      const { code } = stack.ratchet('approve', correctionId, '--reason', 'it was me', '--actor', 'ana');
      return (
        code === 0 || corrections().some((each) => each.correctionId === correctionId && each.state !== 'proposed')
      );
    });
  }
}

/** The control port: what a person does at the venue's own page. */
async function byHand(body: object): Promise<Row> {
  const url = new URL('/__sim/external', stack.file().paper?.controlUrl ?? '');
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Row;
}

type Entry = { readonly kind: string; readonly asset?: string; readonly origin?: string } & Readonly<
  Record<string, unknown>
>;

/** The latest entry of the venue's ledger that the test looks for. */
async function inLedger(isMeant: (entry: Entry) => boolean): Promise<Entry> {
  const url = new URL('/__sim/ledger?kind=entries', stack.file().paper?.controlUrl ?? '');
  const { entries } = (await (await fetch(url)).json()) as { entries: readonly { entries: readonly Entry[] }[] };
  const found = entries.flatMap((group) => group.entries).findLast(isMeant);
  if (found === undefined) throw new Error('the ledger has no such entry');
  return found;
}

const foundAtMs = (key: string): Promise<number> =>
  until(`${key} is found`, async () => {
    const [row] = await stack.sql<Row & { found_at_ms: string }>(
      'select found_at_ms from difference where difference_key = $1 and ended_at_ms is null',
      [key],
    );
    return row && Number(row.found_at_ms);
  });

const holds = () =>
  stack.sql("select hold_id from hold where source = 'reconciliation' and lifted_at_ms is null and scope_id = 'main'");

const eventsOf = async (type: string): Promise<number> => {
  const [row] = await stack.sql<Row & { count: string }>('select count(*) from audit_event where event_type = $1', [
    type,
  ]);
  return Number(row?.count);
};

describe('the schedules', () => {
  test('run at their interval and every day at 00:00 UTC, and skip a run while one is under way', async () => {
    const found = [];
    for await (const { scheduleId } of stack.temporal.schedule.list()) found.push(scheduleId);
    expect(found.sort()).toEqual(['reconciliation-paper-main-daily', 'reconciliation-paper-main-interval']);
    const describe = (which: string) =>
      stack.temporal.schedule.getHandle(`reconciliation-paper-main-${which}`).describe();
    expect((await describe('interval')).spec.intervals).toMatchObject([{ every: everyMs }]);
    const daily = await describe('daily');
    expect(daily.spec.calendars).toMatchObject([{ hour: [{ start: 0, end: 0 }], minute: [{ start: 0, end: 0 }] }]);
    expect(daily.policies.overlap).toBe('SKIP');
    expect(daily.info.nextActionTimes[0]?.toISOString()).toMatch(/T00:00:00/);
  });
});

describe('F76: a person trades the account by hand', () => {
  test('an order that rests is found within 30 seconds and blocks entries, but no exit', async () => {
    await openTrade(stack, 'recon-exit');
    const { order } = (await byHand({
      type: 'order',
      order: { symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '90' },
    })) as { order: { orderId: number } };
    const placed = await inLedger(({ kind, origin }) => kind === 'order' && origin === 'external');
    const tookMs = (await foundAtMs(`externalOrder:BTC/USDT:${order.orderId}`)) - Number(placed['acceptedAtMs']);
    expect(tookMs).toBeLessThanOrEqual(30_000);
    await until('entries are blocked', async () => (await holds()).length === 1);
    expect(await enter(stack, 'recon-blocked')).toMatchObject({ outcome: 'denied' });
    await stack.client.close('recon-exit', { reason: 'exits never wait for a reconciliation' });
    expect(await untilSettled(stack, 'recon-exit')).toBe('closed');
    await byHand({ type: 'cancel', orderId: order.orderId });
    await until('entries go on', async () => (await holds()).length === 0);
  });

  test('an order at market and a withdrawal are found in time, and accepted by a person they are expected', async () => {
    const { order } = (await byHand({
      type: 'order',
      order: { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '1' },
    })) as { order: { orderId: number } };
    await byHand({ type: 'balance', asset: 'USDT', change: '-500' });
    const placed = await inLedger(({ kind, origin }) => kind === 'order' && origin === 'external');
    const moved = await inLedger(({ kind, asset }) => kind === 'balance' && asset === 'USDT');
    const orderMs = (await foundAtMs(`externalOrder:BTC/USDT:${order.orderId}`)) - Number(placed['acceptedAtMs']);
    const driftMs = (await foundAtMs('balance:USDT')) - Number(moved['changedAtMs']);
    expect(orderMs).toBeLessThanOrEqual(30_000);
    expect(driftMs).toBeLessThanOrEqual(60_000);
    const { code, report } = reconcile();
    expect(code).toBe(1);
    expect(report.differences.map(({ difference }) => difference.kind).sort()).toEqual([
      'balance',
      'balance',
      'externalOrder',
    ]);
    const found = await eventsOf('DifferenceFound');
    await untilRun(Date.now());
    expect(await eventsOf('DifferenceFound')).toBe(found);
    await approveAll();
    expect(reconcile()).toMatchObject({ code: 0, report: { outcome: 'clean' } });
    await until('entries go on', async () => (await holds()).length === 0);
    await openTrade(stack, 'recon-after');
    await stack.client.close('recon-after', { reason: 'done' });
    await untilPhase(stack, 'recon-after', 'closed');
  });
});

describe('CP15: the worker dies after a run has committed its differences', () => {
  test('another one says that it ran, and finds nothing twice', async () => {
    const before = await eventsOf('DifferenceFound');
    await byHand({ type: 'balance', asset: 'USDT', change: '-300' });
    stack.plan('afterDifferences');
    await stack.struck('afterDifferences');
    await foundAtMs('balance:USDT');
    const startedAtMs = Date.now();
    await untilRun(startedAtMs);
    expect(await eventsOf('DifferenceFound')).toBe(before + 1);
    await until('entries are blocked', async () => (await holds()).length === 1);
  });
});

describe('a command', () => {
  test('that can not read the venue says so with an exit code of its own', async () => {
    await stack.venue.plan({
      on: { method: 'GET', path: '/api/v3/account', every: 1 },
      phase: 'before_auth',
      do: { action: 'status', code: 503, body: {} },
    });
    expect(reconcile()).toMatchObject({ code: 3, report: { outcome: 'unavailable', differences: [] } });
    await stack.venue.clearPlan();
  });

  test('for a correction that nobody knows is refused', () => {
    const { code, output } = stack.ratchet('reject', 'balance-XYZ-99', '--reason', 'none');
    expect(code).toBe(1);
    expect(output).toContain('CORRECTION_UNKNOWN');
  });
});
