import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActivityDependencies, VenueRoom } from '../../activities/dependencies.ts';
import { resume } from '../../src/store/trading-state/resuming.ts';
import { aHalting, everything, type Halting, placedBy } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

// The figures that docs/reliability.md promises, as they come out here. They are printed; only what must hold on any
// machine is asserted.
const symbols = Array.from({ length: 10 }, (_, n) => `C${n}/USDT`);
const rounds = process.env['FULL_LENGTH'] ? 200 : 20;
let database: TestDatabase;
let world: Halting;
/** When an entry was handed to the adapter, after the last look at the holds. */
const handedAtMs: number[] = [];
const noting = (room: VenueRoom): VenueRoom => ({
  ...room,
  venue: new Proxy(room.venue, {
    get: (venue, name) =>
      name !== 'placeOrder'
        ? Reflect.get(venue, name)
        : (...args: Parameters<typeof venue.placeOrder>) => {
            handedAtMs.push(Date.now());
            return venue.placeOrder(...args);
          },
  }),
});
beforeAll(async () => {
  database = await aDatabase({ poolMax: 40 });
  world = await aHalting(database.db, {
    virtualClockAtMs: undefined as never,
    venueWrapper: noting,
    markets: symbols.map((symbol) => ({ symbol, price: '100', stepSize: '0.001' })),
  });
});
afterAll(async () => {
  await world.close();
  await database.close();
});

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

const figures = (values: readonly number[]): string =>
  `p50 ${percentile(values, 0.5)} ms, p99 ${percentile(values, 0.99)} ms, max ${Math.max(...values)} ms`;

test('I8: from a halt that is acknowledged to the last entry that is sent, with four processes sending', async () => {
  const workers = [1, 2, 3, 4].map((n) => world.depsOf(`process-${n}`));
  const lates: number[] = [];
  const handed: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const trades = Array.from({ length: 64 }, (_, n) => `figure-${round}-${n}`);
    await Promise.all(trades.map((tradeId) => world.approve(tradeId, { symbol: 'C0/USDT' })));
    const sending = trades.map((tradeId, n) =>
      placedBy(workers[n % 4] as ActivityDependencies, { tradeId, leg: 0, purpose: 'entry', generation: 1 }),
    );
    await Promise.race(sending);
    await world.halt('entries-blocked');
    const acknowledgedAtMs = Date.now();
    await Promise.allSettled(sending);
    const sent = world.simulator
      .requests()
      .filter(({ method, receivedAtMs }) => method === 'POST' && receivedAtMs > acknowledgedAtMs);
    lates.push(Math.max(0, ...sent.map(({ receivedAtMs }) => receivedAtMs - acknowledgedAtMs)));
    handed.push(Math.max(0, ...handedAtMs.map((atMs) => atMs - acknowledgedAtMs)));
    const accepted = [...world.simulator.exchange.books.orders.values()].filter(
      ({ acceptedAtMs }) => acceptedAtMs > acknowledgedAtMs + 1_000 + 3_000,
    );
    expect(accepted).toEqual([]);
    await resume(database.db, {
      scope: everything,
      source: 'operator',
      actor: 'ben',
      reason: 'next',
      nowMs: Date.now(),
    });
  }
  process.stdout.write(
    `halt -> last entry, ${rounds} rounds of 64 entries: handed to the adapter ${figures(handed)}; ` +
      // The venue shares this process, and its event loop with all four senders.
      `seen by the venue ${figures(lates)}\n`,
  );
}, 600_000);

test('I9: cancel-all of 100 orders on 10 symbols, to the first look that finds none', async () => {
  const took: number[] = [];
  for (let round = 0; round < Math.max(3, rounds / 10); round += 1) {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        world.enter(`sweep-${round}-${n}`, { symbol: symbols[n % 10] as string, price: '50' }),
      ),
    );
    const startedAtMs = Date.now();
    const { holdVersion } = await world.halt('frozen');
    let left = (await world.look(holdVersion)).left.length + world.openAtVenue().length;
    while (left > 0) left = (await world.look(holdVersion)).left.length + world.openAtVenue().length;
    await world.look(holdVersion);
    took.push(Date.now() - startedAtMs);
    expect(world.openAtVenue()).toEqual([]);
    await resume(database.db, {
      scope: everything,
      source: 'operator',
      actor: 'ben',
      reason: 'next',
      nowMs: Date.now(),
    });
  }
  process.stdout.write(
    `cancel-all of 100 orders on 10 symbols, ${took.length} rounds: p50 ${percentile(took, 0.5)} ms, ` +
      `p99 ${percentile(took, 0.99)} ms\n`,
  );
}, 600_000);
