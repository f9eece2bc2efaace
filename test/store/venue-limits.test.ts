import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import type { RatePause } from '../../src/domain/rate-limit.ts';
import { type Simulator, startSimulator } from '../../src/simulator/server.ts';
import { createSharedRates } from '../../src/store/fleet/rate-budget.ts';
import { createListener } from '../../src/store/listener.ts';
import { createRateBudget } from '../../src/venue/rate-budget.ts';
import type { Lane, SignedOrder, UserDataEvent, Venue } from '../../src/venue/venue.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aVenue } from '../venue/support/scripted-venue.ts';
import { soon } from '../venue/support/soon.ts';

// Several workers, each with an adapter of its own, on one database and one address of the paper venue. Time is the
// paper venue's virtual clock.

const symbol = 'BTC/USDT';
// Five seconds into a minute: the ten-second window ends in 5 s, the minute in 55 s.
const startMs = Date.UTC(2026, 10, 21, 12, 0, 5);

let simulator: Simulator;
let database: TestDatabase;
let opened: { close(): Promise<void> | void }[];

beforeEach(async () => {
  opened = [];
  database = await aDatabase();
  simulator = await startSimulator({
    replay: 'manual',
    virtualClockAtMs: startMs,
    markets: [{ symbol, price: '46000' }],
    deposits: { USDT: '1000000', BTC: '10' },
  });
});

afterEach(async () => {
  for (const each of opened.reverse()) await each.close();
  await simulator.close();
  await database.close();
});

type AWorker = { readonly venue: Venue; readonly told: RatePause[] };

/** A worker that has not asked the venue for anything yet. */
function connect(holder: string): AWorker {
  const clock = { nowMs: simulator.clock.nowMs, monotonicMs: simulator.clock.nowMs };
  const told: RatePause[] = [];
  const ignore = () => undefined;
  const listener = createListener({ url: database.appUrl, applicationName: holder, onError: ignore });
  const onAnnounced = (announced: () => void) => listener.on('ratchet_pauses', announced);
  const shared = createSharedRates({ db: database.another(), venue: 'paper', holder, onAnnounced, onError: ignore });
  const budget = createRateBudget({ clock, shared, onPause: (pause) => told.push(pause) });
  // The clock leaps: that is no silence of the streams.
  const socketTimings = { silenceMs: 86_400_000 };
  const { url, wsUrl, keys } = simulator;
  const venue = aVenue({ url, wsUrl, keys, budget, clock, socketTimings });
  opened.push(listener, shared, venue);
  return { venue, told };
}

async function aWorker(holder: string): Promise<AWorker> {
  const worker = connect(holder);
  await worker.venue.clockOffsetMs();
  await worker.venue.filters(symbol);
  return worker;
}

let orders = 0;
const anOrder = (lane: Lane): SignedOrder => {
  orders += 1;
  return {
    clientOrderId: `${lane === 'exit' ? 'rtx' : 'rte'}-${orders}`,
    symbol,
    side: lane === 'exit' ? 'SELL' : 'BUY',
    orderType: 'LIMIT',
    timeInForce: 'GTC',
    quantity: decimal('0.01'),
    limitPrice: decimal(lane === 'exit' ? '47000' : '45000'),
    stopPrice: null,
    signedAtMs: simulator.clock.nowMs(),
    recvWindowMs: 3000,
  };
};

const place = ({ venue }: AWorker, lane: Lane) => venue.placeOrder(anOrder(lane), lane);
const told = async (worker: AWorker): Promise<RatePause> =>
  await soon(() => worker.told.at(-1) ?? Promise.reject(new Error('nothing told')));
const requestsSince = (count: number) => simulator.requests().slice(count);

async function command(path: string, body: object): Promise<void> {
  const answer = await fetch(`${simulator.controlUrl}/__sim/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
}

/** Whatever a worker can want of the venue. */
const everything: readonly (readonly [name: string, ask: (venue: Venue) => Promise<unknown>])[] = [
  ['an exit', (venue) => venue.placeOrder(anOrder('exit'), 'exit')],
  ['an entry', (venue) => venue.placeOrder(anOrder('entry'), 'entry')],
  ['a cancel', (venue) => venue.cancelOrder({ symbol, clientOrderId: 'rte-1' })],
  ['a cancel of all', (venue) => venue.cancelAllOf(symbol)],
  ['a look-up', (venue) => venue.findOrder({ symbol, clientOrderId: 'rte-1' })],
  ['a list of orders', (venue) => venue.openOrders(symbol)],
  ['balances', (venue) => venue.balances()],
  ['trades', (venue) => venue.marketTrades(symbol, null, 10)],
];

/** Everything, by each of these workers. Nothing of it throws for being held back but the reads. */
async function tryEverything(...workers: readonly AWorker[]): Promise<void> {
  for (const { venue } of workers) for (const [, ask] of everything) await ask(venue).catch(() => undefined);
}

describe('F16: too much request weight (429 with Retry-After)', () => {
  test('no process sends anything inside the window, and exits go first after it', async () => {
    const [one, other] = [await aWorker('one'), await aWorker('other')];
    await command('limits', { exhaust: true });
    expect(await place(one, 'entry')).toMatchObject({
      outcome: 'THROTTLED',
      httpStatus: 429,
      retryAtMs: startMs + 55_000,
    });
    expect(await told(other)).toMatchObject({ scope: 'everything', untilMs: startMs + 55_000, isBan: false });

    const sent = simulator.requests().length;
    for (let passedMs = 0; passedMs < 55_000; passedMs += 5_000) {
      await tryEverything(one, other);
      simulator.clock.shift(passedMs + 5_000 < 55_000 ? 5_000 : 4_999);
    }
    await tryEverything(one, other);
    expect(requestsSince(sent)).toEqual([]);

    simulator.clock.shift(1);
    expect(await place(other, 'entry')).toMatchObject({ outcome: 'THROTTLED', retryAtMs: startMs + 55_500 });
    expect(await place(other, 'exit')).toMatchObject({ outcome: 'ACCEPTED' });
    simulator.clock.shift(500);
    expect(await place(one, 'entry')).toMatchObject({ outcome: 'ACCEPTED' });
  });

  test('a process that starts inside the window holds still as well', async () => {
    const one = await aWorker('one');
    await command('limits', { exhaust: true });
    await place(one, 'exit');
    await soon(async () =>
      expect(await database.asOwner('select scope from rate_pause')).toEqual([{ scope: 'everything' }]),
    );
    const sent = simulator.requests().length;
    const late = connect('late');
    await told(late);
    await tryEverything(late);
    expect(requestsSince(sent)).toEqual([]);
  });
});

describe('F17: too many orders that have not filled (429 with -1015)', () => {
  test('two workers together leave a fifth of the order count to exits', async () => {
    const workers = [await aWorker('one'), await aWorker('other')] as const;
    simulator.clock.shift(5_000);
    const windowStartMs = simulator.clock.nowMs();
    const outcomes: string[] = [];
    while (simulator.clock.nowMs() < windowStartMs + 9_500) {
      for (const worker of workers) outcomes.push((await place(worker, 'entry')).outcome);
      simulator.clock.shift(100);
    }
    // What two processes tell each other late is counted on the careful side.
    const accepted = outcomes.filter((outcome) => outcome === 'ACCEPTED').length;
    expect(accepted).toBeLessThanOrEqual(40);
    expect(accepted).toBeGreaterThan(30);
    expect(new Set(outcomes)).toEqual(new Set(['ACCEPTED', 'THROTTLED']));
    for (let i = 0; i < 10; i += 1) {
      expect(await place(workers[i % 2] ?? workers[0], 'exit')).toMatchObject({ outcome: 'ACCEPTED' });
    }
    // No entry was ever refused by the venue: our own count held it back.
    expect(simulator.requests().filter(({ httpStatus }) => httpStatus === 429)).toEqual([]);
  });

  test('entries of all workers wait, exits still go, and go first once the window is over', async () => {
    const [one, other] = [await aWorker('one'), await aWorker('other')];
    await command('limits', { ordersPer10s: 2 });
    await place(one, 'exit');
    const resting = anOrder('exit');
    await one.venue.placeOrder({ ...resting, limitPrice: decimal('46100') }, 'exit');
    expect(await place(one, 'entry')).toMatchObject({
      outcome: 'THROTTLED',
      venueCode: -1015,
      retryAtMs: startMs + 5_000,
    });
    expect(await told(other)).toMatchObject({ scope: 'entries', untilMs: startMs + 5_000 });

    // A fill takes one off the venue's count: there is room for an exit.
    simulator.tick({ symbol, price: '46100', quantity: '1' });
    const sent = simulator.requests().length;
    expect(await place(other, 'entry')).toMatchObject({ outcome: 'THROTTLED', retryAtMs: startMs + 5_500 });
    expect(requestsSince(sent)).toEqual([]);
    expect(await place(other, 'exit')).toMatchObject({ outcome: 'ACCEPTED' });

    // Now exits are over the limit as well: one is refused, and from then on none is sent in vain. Cancels are.
    expect(await place(other, 'exit')).toMatchObject({ outcome: 'THROTTLED', venueCode: -1015 });
    await soon(() => expect(one.told).toHaveLength(2));
    expect(await place(one, 'exit')).toMatchObject({ outcome: 'THROTTLED', retryAtMs: startMs + 5_000 });
    expect(requestsSince(sent).filter(({ method, path }) => `${method} ${path}` === 'POST /api/v3/order')).toHaveLength(
      2,
    );
    expect(await one.venue.cancelAllOf(symbol)).toMatchObject({ outcome: 'ACCEPTED' });

    simulator.clock.shift(5_000);
    expect(await place(one, 'entry')).toMatchObject({ outcome: 'THROTTLED' });
    expect(await place(one, 'exit')).toMatchObject({ outcome: 'ACCEPTED' });
    simulator.clock.shift(500);
    expect(await place(other, 'entry')).toMatchObject({ outcome: 'ACCEPTED' });
  });
});

describe('F18: the address is banned (418)', () => {
  test('nobody sends anything until the ban ends, its end is told, and streams go on', async () => {
    const [one, other] = [await aWorker('one'), await aWorker('other')];
    const events: UserDataEvent[] = [];
    other.venue.streamUserData((event) => events.push(event));
    await soon(() => expect(events).toContainEqual({ type: 'connected' }));
    await place(one, 'entry');
    await command('ban', { ms: 600_000 });
    expect(await place(one, 'exit')).toMatchObject({
      outcome: 'THROTTLED',
      httpStatus: 418,
      retryAtMs: startMs + 600_000,
    });
    const ban = {
      scope: 'everything',
      isBan: true,
      untilMs: startMs + 600_000,
      reason: expect.stringContaining('418'),
    };
    expect(one.told).toEqual([ban]);
    expect(await told(other)).toEqual(ban);

    const sent = simulator.requests().length;
    for (let minutes = 0; minutes < 9; minutes += 1) {
      await tryEverything(one, other);
      simulator.clock.shift(60_000);
    }
    simulator.clock.shift(59_999);
    await tryEverything(one, other);
    expect(requestsSince(sent)).toEqual([]);
    simulator.tick({ symbol, price: '45000', quantity: '1' });
    await soon(() =>
      expect(events).toContainEqual(
        expect.objectContaining({
          order: expect.objectContaining({ report: expect.objectContaining({ status: 'filled' }) }),
        }),
      ),
    );

    simulator.clock.shift(1);
    expect(await place(other, 'exit')).toMatchObject({ outcome: 'ACCEPTED' });
  });
});

test('while the database is away entries and reports are held back, and exits and cancels go', async () => {
  const worker = await aWorker('one');
  await database.asOwner('alter table rate_window rename to rate_window_gone');
  const sent = simulator.requests().length;
  expect(await place(worker, 'entry')).toMatchObject({ outcome: 'THROTTLED', retryAtMs: startMs + 1_000 });
  await expect(worker.venue.balances()).rejects.toMatchObject({ code: 'VENUE_UNAVAILABLE' });
  expect(requestsSince(sent)).toEqual([]);
  const exit = anOrder('exit');
  expect(await worker.venue.placeOrder(exit, 'exit')).toMatchObject({ outcome: 'ACCEPTED' });
  expect(await worker.venue.cancelOrder(exit)).toMatchObject({ outcome: 'ACCEPTED' });
  await database.asOwner('alter table rate_window_gone rename to rate_window');
  simulator.clock.shift(1_000);
  expect(await place(worker, 'entry')).toMatchObject({ outcome: 'ACCEPTED' });
});
