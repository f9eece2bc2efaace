import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasSpooledHalts, type SpooledHalt, spoolHalt } from '../../src/config/halt-spool.ts';
import { createEntryBrake } from '../../src/main/entry-brake.ts';
import { type EmergencyProgress, sweepWithoutDatabase } from '../../src/main/halt-without-database.ts';
import { importSpooledHalts } from '../../src/main/spooled-halts.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { resume } from '../../src/store/trading-state/resuming.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import type { Venue } from '../../src/venue/venue.ts';
import { nowMs, openAccount } from '../store/fixtures.ts';
import { aHalting, type Halting } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(() => database.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ratchet-spool-'));
  return () => rmSync(folder, { recursive: true });
});

const logger = pino({ level: 'silent' });
const calm = { lagMs: () => 0, isHigh: () => false, stop: () => undefined };
const spooled = (changed: Partial<SpooledHalt> = {}): SpooledHalt => ({
  version: 1,
  eventId: '6a2f1f6e-5a0c-4a55-8d5e-0f6f2a0c9b01',
  scope: { kind: 'all', id: '*' },
  level: 'frozen',
  actor: 'anna',
  reason: 'the database is away',
  haltedAtMs: nowMs,
  ...changed,
});
const entryOf = (tradeId: string) => clientOrderIdOf({ tradeId, leg: 0, purpose: 'entry', generation: 1 });

describe('F43: the venue alone, without the database', () => {
  let world: Halting;
  beforeEach(async () => {
    world = await aHalting(database.db);
    return () => world.close();
  });

  const sweep = (options: { symbol?: string; giveUpAfterMs?: number } = {}) => {
    const { giveUpAfterMs = 60_000, ...rest } = options;
    const seen: EmergencyProgress[] = [];
    const venue = world.deps.rooms.get('paper')?.venue as Venue;
    const done = sweepWithoutDatabase({
      venue,
      settleMs: 3_250,
      giveUpAtMs: world.nowMs() + giveUpAfterMs,
      now: world.nowMs,
      sleep: async (ms) => world.simulator.clock.shift(ms),
      onProgress: (progress) => seen.push(progress),
      ...rest,
    });
    return done.then((progress) => ({ progress, seen }));
  };

  test('cancels entry orders by their ids, exits stay, until two looks a window apart find none', async () => {
    const suffix = world.simulator.port;
    for (const n of [1, 2]) await world.enter(`entry-${suffix}-${n}`);
    await world.enter(`other-${suffix}`, { symbol: 'ETH/USDT' });
    const { progress, seen } = await sweep();
    expect(progress).toMatchObject({ isClear: true, left: [] });
    expect(progress.canceled).toHaveLength(3);
    expect(seen.map(({ left }) => left.length)).toEqual([0, 0, 0]);
    expect(world.openAtVenue()).toEqual([]);
  });

  test('of one symbol leaves the others', async () => {
    const suffix = `symbol-${world.simulator.port}`;
    await world.enter(`btc-${suffix}`);
    await world.enter(`eth-${suffix}`, { symbol: 'ETH/USDT' });
    await sweep({ symbol: 'ETH/USDT' });
    expect(world.openAtVenue()).toEqual([entryOf(`btc-${suffix}`)]);
  });

  test('gives up in time and says what is left', async () => {
    const tradeId = `stuck-${world.simulator.port}`;
    await world.enter(tradeId);
    world.plan({ on: { method: 'DELETE' }, phase: 'before_accept', do: { action: 'status', code: 503 } });
    const { progress } = await sweep({ giveUpAfterMs: 5_000 });
    expect(progress).toMatchObject({ isClear: false, left: [entryOf(tradeId)], canceled: [] });
  });
});

describe('F43: a halt in the spool', () => {
  test('keeps entries from passing until it is imported', async () => {
    await openAccount(database.db);
    const brake = createEntryBrake({ dataFolder: folder, loopLag: calm });
    expect(brake()).toBeNull();
    spoolHalt(folder, spooled());
    expect(brake()).toMatchObject({ code: 'HALT_NOT_IMPORTED' });
    const options = { dataFolder: folder, logger, now: () => nowMs };
    expect(await importSpooledHalts(database.db, options)).toBe(1);
    expect(brake()).toBeNull();
    expect(await holdsInForce(database.db, nowMs)).toMatchObject([
      { level: 'frozen', source: 'operator', actor: 'anna' },
    ]);
    expect(readdirSync(join(folder, 'spool'))).toEqual([]);
  });

  test('is imported once: read again after a resume it halts nobody', async () => {
    const { db } = database;
    const options = { dataFolder: folder, logger, now: () => nowMs };
    spoolHalt(folder, spooled({ eventId: '6a2f1f6e-5a0c-4a55-8d5e-0f6f2a0c9b02' }));
    await importSpooledHalts(db, options);
    await resume(db, { scope: { kind: 'all', id: '*' }, source: 'operator', actor: 'ben', reason: 'over', nowMs });
    const sweep = { venue: 'paper', canceled: ['rte-a'], left: [], isClear: true, endedAtMs: nowMs + 5 };
    spoolHalt(folder, spooled({ eventId: '6a2f1f6e-5a0c-4a55-8d5e-0f6f2a0c9b02', sweep }));
    await importSpooledHalts(db, options);
    expect(await holdsInForce(db, nowMs)).toEqual([]);
    const [record] = await db
      .selectFrom('audit_event')
      .select('body')
      .where('event_type', '=', 'CancelSweep')
      .execute();
    expect(JSON.parse(record?.body ?? '{}')).toMatchObject({ withoutDatabase: true, canceled: ['rte-a'] });
  });

  test('that can not be read goes on keeping entries from passing', async () => {
    spoolHalt(folder, spooled());
    const [name = ''] = readdirSync(join(folder, 'spool'));
    writeFileSync(join(folder, 'spool', name), '{"version": 1, "eve');
    await importSpooledHalts(database.db, { dataFolder: folder, logger, now: () => nowMs });
    expect(hasSpooledHalts(folder)).toBe(true);
    expect(createEntryBrake({ dataFolder: folder, loopLag: calm })()).toMatchObject({ code: 'HALT_NOT_IMPORTED' });
  });

  test('on an account that does not exist goes on keeping entries from passing, and keeps no other halt out', async () => {
    const refusedId = '6a2f1f6e-5a0c-4a55-8d5e-0f6f2a0c9b03';
    spoolHalt(folder, spooled({ eventId: refusedId, scope: { kind: 'account', id: 'mian' } }));
    const eventId = '6a2f1f6e-5a0c-4a55-8d5e-0f6f2a0c9b04';
    spoolHalt(folder, spooled({ eventId, scope: { kind: 'symbol', id: 'ETH/USDT' } }));
    await importSpooledHalts(database.db, { dataFolder: folder, logger, now: () => nowMs });
    const held = (await holdsInForce(database.db, nowMs)).map(({ scope }) => scope.id);
    expect(held).toContain('ETH/USDT');
    expect(held).not.toContain('mian');
    expect(readdirSync(join(folder, 'spool'))).toEqual([`halt-${refusedId}.json`]);
    expect(createEntryBrake({ dataFolder: folder, loopLag: calm })()).toMatchObject({ code: 'HALT_NOT_IMPORTED' });
  });

  test('whose time was over meanwhile is imported, and holds nothing any more', async () => {
    const halt = {
      eventId: '6a2f1f6e-5a0c-4a55-8d5e-0f6f2a0c9b05',
      scope: { kind: 'symbol', id: 'SOL/USDT' },
    } as const;
    spoolHalt(folder, spooled({ ...halt, expiresAtMs: nowMs + 1_000 }));
    await importSpooledHalts(database.db, { dataFolder: folder, logger, now: () => nowMs + 60_000 });
    expect(hasSpooledHalts(folder)).toBe(false);
    const held = await holdsInForce(database.db, nowMs + 60_000);
    expect(held.map(({ scope }) => scope.id)).not.toContain('SOL/USDT');
  });

  test('stays where the database does not take it', async () => {
    spoolHalt(folder, spooled());
    const away = await aDatabase();
    await away.close();
    await expect(importSpooledHalts(away.db, { dataFolder: folder, logger, now: () => nowMs })).rejects.toThrow();
    expect(hasSpooledHalts(folder)).toBe(true);
  });
});

test('F82: a worker that lags says so, a halt that waits goes before it', () => {
  const lagging = { lagMs: () => 2_950, isHigh: () => true, stop: () => undefined };
  const brake = createEntryBrake({ dataFolder: folder, loopLag: lagging });
  expect(brake()).toEqual({ code: 'WORKER_LAGGING', note: 'its event loop ran 2950 ms late' });
  spoolHalt(folder, spooled());
  expect(brake()).toMatchObject({ code: 'HALT_NOT_IMPORTED' });
});
