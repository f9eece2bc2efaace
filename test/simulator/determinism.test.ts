import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { FaultAction, FaultPhase } from '../../src/simulator/server.ts';
import { type Simulator, startSimulator } from '../../src/simulator/server.ts';
import { clientOf, control } from './venue-client.ts';

const venues: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(venues.map((venue) => venue.close())));

/** The same session against a venue of this seed: generated prices, faults by chance, over real sockets. */
async function sessionWith(seed: number): Promise<{ hash: string; orders: number; fills: number }> {
  const venue = await startSimulator({ replay: 'generator', seed, speed: 10, virtualClockAtMs: 1_700_000_000_000 });
  venues.push(venue);
  const client = clientOf(venue);
  venue.plan({ on: { method: 'POST', p: 0.3 }, phase: 'before_response', do: { action: 'status', code: 504 } });
  for (let index = 0; index < 40; index += 1) {
    venue.clock.shift(250);
    const price = Math.floor(Number(venue.exchange.venue('BTCUSDT').quotes?.last ?? '46000'));
    if (index % 4 === 0) await client.buy('0.01', { newClientOrderId: `b-${index}` });
    else await client.limit('BUY', '0.02', String(price - (index % 3)), { newClientOrderId: `l-${index}` });
  }
  venue.clock.shift(10_000);
  const { body } = await control(venue, 'GET', '/__sim/ledger');
  return { hash: body.hash, orders: body.orders.length, fills: body.fills.length };
}

describe('a session', () => {
  test('is the same to the last byte of the ledger under the same seed, and another under another', async () => {
    const [one, again, other] = [await sessionWith(5), await sessionWith(5), await sessionWith(6)];
    expect(again).toEqual(one);
    expect(other.hash).not.toBe(one.hash);
    expect(one.orders).toBe(40);
    expect(one.fills).toBeGreaterThan(10);
  });
});

// What a client, a person and a plan of faults may do. A fault that waits would wait for a clock that nobody moves.
const fault = fc.record({
  phase: fc.constantFrom<FaultPhase>('before_auth', 'before_accept', 'after_accept', 'after_match', 'before_response'),
  do: fc.constantFrom<FaultAction>(
    { action: 'drop' },
    { action: 'reset' },
    { action: 'garbage' },
    { action: 'dup' },
    { action: 'status', code: 503, body: { code: -1008 } },
    { action: 'truncate', bytes: 9 },
    { action: 'lie', fields: { status: 'NEW' } },
  ),
  p: fc.integer({ min: 1, max: 9 }),
});
const cents = fc.integer({ min: 4_550_000, max: 4_650_000 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      side: fc.constantFrom('BUY', 'SELL'),
      type: fc.constantFrom('MARKET', 'LIMIT', 'LIMIT_MAKER', 'STOP_LOSS', 'TAKE_PROFIT_LIMIT'),
      mode: fc.constantFrom('EXPIRE_MAKER', 'EXPIRE_TAKER', 'EXPIRE_BOTH'),
      thousandths: fc.integer({ min: 1, max: 900 }),
      cents,
      stopCents: cents,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), orderId: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const), cents }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fault' as const), fault }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('trigger' as const),
      name: fc.constantFrom('thin-book', 'self-trade', 'external-order', 'flash-crash', 'symbol-halted', 'firewall'),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const priceOf = (hundredths: number): string => (hundredths / 100).toFixed(2);

async function take(venue: Simulator, index: number, each: Step): Promise<unknown> {
  const client = clientOf(venue);
  switch (each.do) {
    case 'wait':
      return venue.clock.shift(each.ms);
    case 'tick':
      return venue.tick({ price: priceOf(each.cents) });
    case 'cancel':
      return client.cancel({ orderId: each.orderId });
    case 'fault':
      return venue.plan({ on: { method: 'POST', p: each.fault.p / 10 }, phase: each.fault.phase, do: each.fault.do });
    case 'trigger':
      return control(venue, 'POST', '/__sim/trigger', { name: each.name });
    case 'order': {
      const { side, type, mode } = each;
      const isStop = type === 'STOP_LOSS' || type === 'TAKE_PROFIT_LIMIT';
      return client.order({
        side,
        type,
        quantity: (each.thousandths / 1_000).toFixed(3),
        newClientOrderId: `o-${index % 9}`,
        selfTradePreventionMode: mode,
        ...(type === 'MARKET' || type === 'STOP_LOSS' ? {} : { price: priceOf(each.cents) }),
        ...(type === 'LIMIT' || type === 'TAKE_PROFIT_LIMIT' ? { timeInForce: 'GTC' } : {}),
        ...(isStop ? { stopPrice: priceOf(each.stopCents) } : {}),
      });
    }
  }
}

type Story = { readonly hash: string; readonly requests: readonly unknown[]; readonly kinds: readonly string[] };

async function storyOf(seed: number, steps: readonly Step[]): Promise<Story> {
  const venue = await startSimulator({
    replay: 'generator',
    seed,
    virtualClockAtMs: 1_700_000_000_000,
    deposits: { USDT: '200000', BTC: '2', BNB: '0.01' },
    fees: { paidIn: 'third' },
    limits: { ordersPer10s: 12 },
  });
  for (const [index, each] of steps.entries()) await Promise.resolve(take(venue, index, each)).catch(() => undefined);
  const { body } = await control(venue, 'GET', '/__sim/ledger?kind=entries');
  const entries: { kind: string }[] = body.entries.flatMap((group: { entries: object[] }) => group.entries);
  const story = { hash: body.hash, requests: venue.requests(), kinds: entries.map(({ kind }) => kind) };
  await venue.close();
  return story;
}

test('the same seed and the same commands give the same ledger, faults included', async () => {
  const happened = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 10, maxLength: 40 }), async (seed, steps) => {
      const one = await storyOf(seed, steps);
      const again = await storyOf(seed, steps);
      expect(again.hash).toBe(one.hash);
      expect(again.requests).toEqual(one.requests);
      for (const kind of one.kinds) happened.add(kind);
    }),
    { numRuns: 30 },
  );
  // Stories in which nothing happens would be equal, too.
  for (const kind of ['order', 'fill', 'closed', 'triggered', 'request']) expect([...happened]).toContain(kind);
});

describe('the sources', () => {
  const folder = fileURLToPath(new URL('../../src/simulator', import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

  test.each([
    { what: 'dice but the seeded ones', pattern: /Math\.random|randomUUID|randomBytes|randomInt/, but: [] },
    { what: 'time but the clock', pattern: /Date\.now|new Date\(|performance\.|hrtime/, but: ['clock.ts'] },
  ])('read no $what', ({ pattern, but }) => {
    expect(files.length).toBeGreaterThan(50);
    const offenders = files.filter((name) => pattern.test(readFileSync(join(folder, name), 'utf8')));
    expect(offenders).toEqual(but);
  });
});
