import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import type { LedgerRequest } from '../support/paper-control.ts';
import { aDataFolder, type ProcessName, type Stack, startStack } from '../support/stack.ts';
import { aRequest, enter, enterApproved, openTrade, untilPhase, untilSettled } from '../support/trading.ts';
import { until } from '../support/until.ts';

// Halts on real processes: with everything up, with Temporal gone, and with the database gone.
const data = aDataFolder();
const recvWindowMs = 2_000;
const environment = { RATCHET_RECV_WINDOW_MS: String(recvWindowMs), RATCHET_BREAKER_FAILURE_THRESHOLD: '1000' };
const resting = { entry: { type: 'LIMIT', price: '90' }, exit: { stopLoss: { price: '80' } } } as const;
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ data, environment });
}, 120_000);
afterEach(async () => {
  await stack.venue.clearPlan();
  expect(judge(await gather(stack))).toEqual([]);
});
afterAll(() => stack?.stop(), 60_000);

const open = async (): Promise<readonly string[]> =>
  (await stack.venue.ledger()).orders
    .filter(({ status, origin }) => origin === 'api' && (status === 'NEW' || status === 'PARTIALLY_FILLED'))
    .map(({ clientOrderId }) => clientOrderId);

const idOf = async (tradeId: string): Promise<string> => {
  const [order] = await stack.sql<{ id: string }>(
    "select client_order_id as id from orders where trade_id = $1 and purpose = 'entry'",
    [tradeId],
  );
  return order?.id ?? '';
};

const rest = async (tradeId: string): Promise<void> => {
  await enterApproved(stack, tradeId, resting);
  await untilPhase(stack, tradeId, 'working');
};

const halt = (...args: readonly string[]) => stack.ratchet('halt', '--reason', 'drill', '--actor', 'anna', ...args);
const resume = () => stack.ratchet('resume', '--reason', 'over', '--actor', 'ben');
const isEntry = ({ method, path, parameters }: LedgerRequest): boolean =>
  method === 'POST' && path === '/api/v3/order' && (parameters['newClientOrderId'] ?? '').startsWith('rte-');

/** A supervisor that is stopped starts nothing again: who is killed stays away for as long as the test wants it. */
async function without(name: ProcessName, work: () => Promise<void>): Promise<void> {
  await stack.restarted(name, async () => {
    stack.supervisor.kill('SIGSTOP');
    try {
      process.kill(stack.pidOf(name), 'SIGKILL');
      await work();
    } finally {
      stack.supervisor.kill('SIGCONT');
    }
  });
}

test('F38: a freeze takes back every working entry and the one that is still on its way, and no exit', async () => {
  await openTrade(stack, 'guarded');
  for (const n of [1, 2, 3, 4]) await rest(`resting-${n}`);
  await stack.venue.plan({
    on: { method: 'POST', path: '/api/v3/order', nth: 1 },
    phase: 'before_accept',
    do: { action: 'delay', ms: recvWindowMs - 300 },
  });
  await enterApproved(stack, 'in-flight', resting);
  await until('the venue has it', async () => {
    const id = await idOf('in-flight');
    return (await stack.venue.ledger()).requests.some(
      (one) => isEntry(one) && one.parameters['newClientOrderId'] === id,
    );
  });
  const { code, output } = halt('--level', 'frozen', '--wait');
  expect({ code, output }).toMatchObject({
    code: 0,
    output: expect.stringMatching(/paper: clear, 5 canceled, 0 left/),
  });
  expect(await open()).toEqual([]);
  for (const tradeId of ['resting-1', 'in-flight']) expect(await untilSettled(stack, tradeId)).toBe('unfilled');
  expect((await enter(stack, 'while-frozen')).reasons).toMatchObject([{ code: 'TRADING_STATE_BLOCKED' }]);
  await stack.venue.tick('94');
  expect(await untilSettled(stack, 'guarded')).toBe('closed');
  await stack.venue.tick('100');
  expect(resume()).toMatchObject({ code: 0 });
});

test('F39: what can not be canceled is named, and canceled once the venue lets it', async () => {
  for (const tradeId of ['free', 'stuck']) await rest(tradeId);
  const stuck = await idOf('stuck');
  await stack.venue.plan({
    on: { method: 'DELETE', match: { origClientOrderId: stuck } },
    phase: 'before_accept',
    do: { action: 'status', code: 503, body: { code: -1000, msg: 'An unknown error occurred.' } },
  });
  expect(halt('--level', 'frozen')).toMatchObject({ code: expect.any(Number) });
  const alert = await until('people are told', async () => {
    const rows = await stack.sql<{ left: string; lateMs: string }>(
      `select context->>'left' as left, raised_at_ms - (select max(set_at_ms) from hold) as "lateMs"
       from alert where code = 'CANCEL_SWEEP_INCOMPLETE' and resolved_at_ms is null`,
    );
    return rows[0];
  });
  expect(alert.left).toBe((await open()).join(' '));
  expect(alert.left).toBe(stuck);
  expect(Number(alert.lateMs)).toBeLessThanOrEqual(5_000);
  await stack.venue.clearPlan();
  expect(halt('--level', 'frozen', '--wait')).toMatchObject({ code: 0 });
  expect(await open()).toEqual([]);
  expect(resume()).toMatchObject({ code: 0 });
});

test('a flatten closes every position, and takes back what would open one', async () => {
  await openTrade(stack, 'held');
  await rest('not-yet');
  expect(halt('--level', 'flatten', '--wait')).toMatchObject({ code: 0 });
  expect(await untilSettled(stack, 'held')).toBe('closed');
  expect(await untilSettled(stack, 'not-yet')).toBe('unfilled');
  const reasons = await stack.sql("select exit_reason from trade where trade_id in ('held', 'not-yet')");
  expect(reasons.map((row) => row['exit_reason'])).toEqual(['flatten', 'flatten']);
  expect(resume()).toMatchObject({ code: 0 });
});

test('F42: a freeze works while Temporal is gone', async () => {
  for (const n of [1, 2]) await rest(`no-engine-${n}`);
  await without('temporal', async () => {
    const { code, output } = halt('--level', 'frozen', '--wait');
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/clear, 2 canceled/) });
    expect(await open()).toEqual([]);
  });
  for (const n of [1, 2]) expect(await untilSettled(stack, `no-engine-${n}`)).toBe('unfilled');
  expect(resume()).toMatchObject({ code: 0 });
});

test('F43: a freeze works while the database is gone, and is in force when it is back', async () => {
  await rest('no-book');
  await without('postgres', async () => {
    const { code, output } = halt('--level', 'frozen');
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/1 canceled, 0 left/) });
    expect(await open()).toEqual([]);
    const placed = (await stack.venue.ledger()).orders.length;
    await stack.client.enter(aRequest('blind', { validForMs: 3_000 })).catch(() => undefined);
    expect((await stack.venue.ledger()).orders).toHaveLength(placed);
  });
  await until('a worker has imported it', async () => readdirSync(join(data, 'spool')).length === 0);
  const [hold] = await stack.sql('select level, actor from hold where lifted_at_ms is null');
  expect(hold).toEqual({ level: 'frozen', actor: 'anna' });
  expect(await untilSettled(stack, 'blind')).toBe('denied');
  expect((await enter(stack, 'after-import')).reasons).toMatchObject([{ code: 'TRADING_STATE_BLOCKED' }]);
  expect(await untilSettled(stack, 'no-book')).toBe('unfilled');
  expect(resume()).toMatchObject({ code: 0 });
});

test('F41 I8: under a stream of entries, none is sent once the halt is acknowledged and its moment is over', async () => {
  let isOver = false;
  let sent = 0;
  const client = async (who: number): Promise<void> => {
    for (let n = 0; !isOver; n += 1) {
      await enter(stack, `stream-${who}-${n}`, resting).catch(() => undefined);
      sent += 1;
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, (_, who) => client(who)));
  await until('entries stream', async () => sent > 30);
  expect(halt('--level', 'frozen', '--wait')).toMatchObject({ code: 0 });
  const [hold] = await stack.sql<{ at: string }>('select set_at_ms as at from hold where lifted_at_ms is null');
  isOver = true;
  await clients;
  const entries = (await stack.venue.ledger()).requests.filter(isEntry).map(({ receivedAtMs }) => receivedAtMs);
  const lastAfterMs = Math.max(...entries) - Number(hold?.at);
  process.stdout.write(`halt -> last of ${entries.length} entries sent: ${lastAfterMs} ms\n`);
  expect(lastAfterMs).toBeLessThanOrEqual(1_000);
  expect(await open()).toEqual([]);
});
