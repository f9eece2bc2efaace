import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { paperKeys } from '../../src/simulator/server.ts';
import { signatureOf } from './venue-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'ratchet-venue-'));
const script = join(import.meta.dirname, '../../src/main/simulator.ts');
const children: ChildProcess[] = [];
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(...args: readonly string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString('utf8');
  });
  return { child, errors: () => errors, ended: once(child, 'close') };
}

type Answer = { readonly orderId: number; readonly fills: readonly { readonly tradeId: number }[] };
type Told = {
  readonly hash: string;
  readonly orders: readonly { readonly orderId: number; readonly status: string }[];
  readonly fills: readonly unknown[];
};

/** A venue in a process of its own, once it says that it is ready. */
async function startProcess(...args: readonly string[]) {
  const { child, ended } = run(...args);
  const [line] = await once(createInterface(child.stdout), 'line');
  const ready = JSON.parse(String(line)) as { ready: boolean; port: number; controlPort: number; symbols: string[] };
  const ledger = async (): Promise<Told> => {
    const response = await fetch(`http://127.0.0.1:${ready.controlPort}/__sim/ledger`);
    return (await response.json()) as Told;
  };
  const order = async (parameters: string): Promise<Answer> => {
    const text = `symbol=BTCUSDT&${parameters}&timestamp=${Date.now()}`;
    const url = `http://127.0.0.1:${ready.port}/api/v3/order?${text}&signature=${signatureOf(paperKeys.apiSecret, text)}`;
    const response = await fetch(url, { method: 'POST', headers: { 'X-MBX-APIKEY': paperKeys.apiKey } });
    return (await response.json()) as Answer;
  };
  const tick = (price: string) =>
    fetch(`http://127.0.0.1:${ready.controlPort}/__sim/tick`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ price }),
    });
  return { child, ended, ready, ledger, order, tick };
}

describe('the venue as a process', () => {
  test('says once where it listens, and ends when its standard input does', async () => {
    const { child, ended, ready } = await startProcess('--exit-with-stdin', '--data', join(folder, 'stdin'));
    expect(ready).toEqual({
      ready: true,
      port: expect.any(Number),
      controlPort: expect.any(Number),
      symbols: ['BTC/USDT'],
    });
    child.stdin?.end();
    expect(await ended).toEqual([0, null]);
  });

  test('trades several symbols where their prices are its own or come by ticks, and not from one file', async () => {
    const { ready, child, ended } = await startProcess('--manual', '--symbol', 'BTC/USDT,ETH/USDT');
    expect(ready.symbols).toEqual(['BTC/USDT', 'ETH/USDT']);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    const refused = run('--prices', join(folder, 'any.csv'), '--symbol', 'BTC/USDT,ETH/USDT');
    expect(await refused.ended).toEqual([1, null]);
  });

  test('ends in order on SIGTERM', async () => {
    const { child, ended } = await startProcess('--manual');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('keeps every order it has answered when it is killed, and goes on', async () => {
    const data = join(folder, 'killed');
    const before = await startProcess('--manual', '--data', data);
    await before.tick('46000');
    const answers: Answer[] = [];
    for (let index = 1; index <= 20; index += 1) {
      answers.push(await before.order(`side=BUY&type=MARKET&quantity=0.001&newClientOrderId=k-${index}`));
    }
    const { hash: _, ...told } = await before.ledger();
    before.child.kill('SIGKILL');
    await before.ended;

    const after = await startProcess('--manual', '--data', data);
    const { hash: __, ...kept } = await after.ledger();
    expect(kept).toEqual(told);
    expect(kept.orders).toHaveLength(20);
    const next = await after.order('side=BUY&type=MARKET&quantity=0.001');
    expect(next.orderId).toBe(21);
    expect(next.fills[0]?.tradeId).toBe((answers.at(-1)?.fills[0]?.tradeId ?? 0) + 1);
  });

  test('killed in the middle of many orders, knows each that was answered, and none by half', async () => {
    const data = join(folder, 'mid');
    const before = await startProcess('--manual', '--data', data, '--orders-per-10s', '100000');
    await before.tick('46000');
    const answered: number[] = [];
    const place = async (lane: number): Promise<void> => {
      for (let index = 0; index < 500; index += 1) {
        const answer = await before.order(`side=BUY&type=MARKET&quantity=0.001&newClientOrderId=m-${lane}-${index}`);
        answered.push(answer.orderId);
        if (answered.length === 60) before.child.kill('SIGKILL');
      }
    };
    await Promise.all([1, 2, 3, 4].map((lane) => place(lane).catch(() => undefined)));
    await before.ended;
    const after = await startProcess('--manual', '--data', data);
    const { orders, fills } = await after.ledger();
    const kept = new Set(orders.map(({ orderId }) => orderId));
    expect(answered.length).toBeGreaterThanOrEqual(60);
    expect(answered.filter((orderId) => !kept.has(orderId))).toEqual([]);
    expect(orders.every(({ status }) => status === 'FILLED')).toBe(true);
    expect(fills).toHaveLength(orders.length);
  });

  test('ends with 4 when other prices meet open trades', async () => {
    const data = join(folder, 'changed');
    const before = await startProcess('--manual', '--data', data);
    await before.tick('46000');
    await before.order('side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000');
    before.child.kill('SIGKILL');
    await before.ended;
    const other = run('--data', data, '--seed', '7');
    expect((await other.ended)[0]).toBe(4);
    expect(other.errors()).toContain('PAPER_PRICES_CHANGED');
  });

  test('ends with 1 and names the fault when the prices cannot be played', async () => {
    const prices = join(folder, 'eth-usdt-none.csv');
    writeFileSync(prices, 'a,b\n1,2\n');
    const bad = run('--prices', prices);
    expect((await bad.ended)[0]).toBe(1);
    expect(bad.errors()).toContain('PAPER_PRICES_INVALID');
  });
});
