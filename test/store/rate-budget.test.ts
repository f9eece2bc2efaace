import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SharedCharge, SharedRates, SharedSettlement } from '../../src/contracts/messages/shared-rates.ts';
import type { RatePause } from '../../src/domain/rate-limit.ts';
import { createSharedRates, type StoredRates } from '../../src/store/fleet/rate-budget.ts';
import { createListener } from '../../src/store/listener.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { soon } from '../venue/support/soon.ts';

const minute = 60_000;
const startMs = 30_000_000 * minute;

let database: TestDatabase;
let opened: { close(): Promise<void> }[];
let errors: unknown[];

beforeEach(async () => {
  database = await aDatabase();
  opened = [];
  errors = [];
});

afterEach(async () => {
  for (const each of opened.reverse()) await each.close();
  await database.close();
});

/** The shared counts as a process of its own sees them. */
function aProcess(holder = 'a', announced: (call: () => void) => () => void = () => () => undefined): StoredRates {
  const onError = (error: unknown) => errors.push(error);
  const rates = createSharedRates({ db: database.another(), venue: 'paper', holder, onAnnounced: announced, onError });
  opened.push(rates);
  return rates;
}

const charge = (changed: Partial<SharedCharge> = {}): SharedCharge => ({
  kind: 'weight',
  windowMs: minute,
  startMs,
  cost: 10,
  share: 100,
  ...changed,
});
const placement = (changed: Partial<SharedCharge> = {}): SharedCharge =>
  charge({ kind: 'orders', windowMs: 10_000, cost: 1, share: 2, ...changed });

const take = (rates: SharedRates, charges: readonly SharedCharge[] = [charge()], venueNowMs = startMs + 1) =>
  rates.take({ charges, scopes: ['everything', 'placements', 'entries'], yieldMs: 500, venueNowMs });

/** How many of these are granted, one after the other. */
async function granted(rates: SharedRates, tries: number, charges: readonly SharedCharge[]): Promise<number> {
  let count = 0;
  for (let i = 0; i < tries; i += 1) if ((await take(rates, charges)).outcome === 'granted') count += 1;
  return count;
}

const counts = async () =>
  await database.asOwner(
    'select kind, window_start_ms::float8 as start, used::int, in_flight::int from rate_window order by kind',
  );

const settled = (changed: Partial<SharedSettlement> = {}): SharedSettlement => {
  const { share: _, ...rest } = charge();
  return { ...rest, wasTaken: true, reported: null, answeredAtMs: startMs + 1, ...changed };
};

describe('take', () => {
  test('grants to all processes together what a lane may use', async () => {
    const processes = Array.from({ length: 4 }, (_, i) => aProcess(`p${i}`));
    const outcomes = await Promise.all(processes.map((rates) => granted(rates, 10, [charge()])));
    expect(outcomes.reduce((all, each) => all + each)).toBe(10);
    expect(await counts()).toEqual([{ kind: 'weight', start: startMs, used: 0, in_flight: 100 }]);
  });

  test('counts in all limits or in none', async () => {
    const rates = aProcess();
    expect(await granted(rates, 5, [charge(), placement()])).toBe(2);
    expect(await take(rates, [charge(), placement()])).toEqual({
      outcome: 'overdrawn',
      kind: 'orders',
      windowMs: 10_000,
    });
    expect(await counts()).toMatchObject([
      { kind: 'orders', in_flight: 2 },
      { kind: 'weight', in_flight: 20 },
    ]);
  });

  test('begins anew with the next window, and counts a late clock in it, too', async () => {
    const rates = aProcess();
    expect(await granted(rates, 10, [charge({ cost: 100 })])).toBe(1);
    const next = charge({ startMs: startMs + minute, cost: 60 });
    expect(await take(rates, [next], startMs + minute)).toEqual({ outcome: 'granted' });
    expect(await take(rates, [charge({ cost: 60 })])).toMatchObject({ outcome: 'overdrawn' });
    expect(await counts()).toEqual([{ kind: 'weight', start: startMs + minute, used: 0, in_flight: 60 }]);
  });

  test('rejects when the database does not answer', async () => {
    const rates = aProcess();
    await database.asOwner('alter table rate_window rename to rate_window_gone');
    await expect(take(rates)).rejects.toThrow();
  });
});

describe('settle', () => {
  const tellAll = async (rates: StoredRates, settlements: readonly SharedSettlement[]): Promise<void> => {
    rates.settle(settlements);
    await rates.close();
  };

  test('leaves counted what was answered without a count, and frees what was under way', async () => {
    const rates = aProcess();
    await granted(rates, 3, [charge()]);
    await tellAll(rates, [settled(), settled()]);
    expect(await counts()).toMatchObject([{ used: 20, in_flight: 10 }]);
  });

  test('counts what exits used without asking', async () => {
    await tellAll(aProcess(), [settled({ wasTaken: false, cost: 70 })]);
    expect(await granted(aProcess(), 10, [charge()])).toBe(3);
  });

  test("takes the venue's own count where that is higher, and for placements where it is lower", async () => {
    const orders = { kind: 'orders', windowMs: 10_000, cost: 1 } as const;
    const rates = aProcess();
    await tellAll(rates, [settled({ reported: 50 }), settled({ ...orders, reported: 2 })]);
    expect(await counts()).toMatchObject([
      { kind: 'orders', used: 2 },
      { kind: 'weight', used: 50 },
    ]);
    const later = { answeredAtMs: startMs + 2 };
    await tellAll(aProcess(), [settled({ ...later, reported: 40 }), settled({ ...orders, ...later, reported: 1 })]);
    expect(await counts()).toMatchObject([
      { kind: 'orders', used: 1 },
      { kind: 'weight', used: 50 },
    ]);
  });

  test('takes no count for newer than it is, in whatever order processes tell it', async () => {
    const orders = { kind: 'orders', windowMs: 10_000, cost: 1 } as const;
    await tellAll(aProcess(), [settled({ ...orders, reported: 2, answeredAtMs: startMs + 2 })]);
    await tellAll(aProcess(), [settled({ ...orders, reported: 1, answeredAtMs: startMs + 1 })]);
    expect(await counts()).toMatchObject([{ kind: 'orders', used: 3 }]);
    await tellAll(aProcess(), [settled({ ...orders, answeredAtMs: startMs + 9 })]);
    await tellAll(aProcess(), [settled({ ...orders, reported: 1, answeredAtMs: startMs + 8 })]);
    expect(await counts()).toMatchObject([{ kind: 'orders', used: 5 }]);
    await tellAll(aProcess(), [settled({ ...orders, reported: 1, answeredAtMs: startMs + 10 })]);
    expect(await counts()).toMatchObject([{ kind: 'orders', used: 1 }]);
  });

  test('adds what came after a count to that count', async () => {
    await tellAll(aProcess(), [settled(), settled({ reported: 50 }), settled({ cost: 7 })]);
    expect(await counts()).toMatchObject([{ used: 57 }]);
  });

  test('of a window that is over changes nothing', async () => {
    await take(aProcess(), [charge({ startMs: startMs + minute })], startMs + minute);
    await tellAll(aProcess(), [settled({ reported: 90 })]);
    expect(await counts()).toEqual([{ kind: 'weight', start: startMs + minute, used: 0, in_flight: 10 }]);
  });

  test('that can not be told is lost, and nobody waits for it', async () => {
    const rates = aProcess();
    await database.asOwner('alter table rate_window rename to rate_window_gone');
    await tellAll(rates, [settled()]);
    expect(errors).toHaveLength(1);
  });
});

describe('pause', () => {
  const aPause = (changed: Partial<RatePause> = {}): RatePause => ({
    scope: 'everything',
    untilMs: startMs + 5000,
    reason: 'HTTP 418 banned',
    isBan: true,
    ...changed,
  });

  test('holds back every process, until it and the courtesy to the lanes above are over', async () => {
    const [one, other] = [aProcess('one'), aProcess('other')];
    one.pause(aPause());
    await soon(async () => expect(await take(other)).toEqual({ outcome: 'paused', pause: aPause() }));
    expect(await take(other, [charge()], startMs + 5499)).toMatchObject({ outcome: 'paused' });
    expect(await take(other, [charge()], startMs + 5500)).toMatchObject({ outcome: 'granted' });
  });

  test('holds back those whom its scope covers', async () => {
    const rates = aProcess();
    rates.pause(aPause({ scope: 'entries' }));
    await soon(async () => expect(await take(rates)).toMatchObject({ outcome: 'paused' }));
    const report = { charges: [charge()], scopes: ['everything'], yieldMs: 0, venueNowMs: startMs } as const;
    expect(await rates.take(report)).toEqual({ outcome: 'granted' });
  });

  test('is not shortened by a shorter one', async () => {
    const rates = aProcess();
    rates.pause(aPause());
    await soon(async () => expect(await take(rates)).toMatchObject({ outcome: 'paused' }));
    rates.pause(aPause({ untilMs: startMs + 1000, reason: 'shorter' }));
    rates.pause(aPause({ untilMs: startMs + 9000, reason: 'longer' }));
    await soon(async () => expect(await take(rates)).toMatchObject({ pause: { reason: 'longer' } }));
  });

  test('is announced to who listens, and told to who comes later', async () => {
    const listener = createListener({
      url: database.appUrl,
      applicationName: 'test',
      onError: (error) => errors.push(error),
    });
    opened.push(listener);
    const heard: (readonly RatePause[])[] = [];
    const other = aProcess('other', (call) => listener.on('ratchet_pauses', call));
    other.onPauses((pauses) => heard.push(pauses));
    aProcess('one').pause(aPause());
    await soon(() => expect(heard.at(-1)).toEqual([aPause()]));
    const late: (readonly RatePause[])[] = [];
    const comer = aProcess('late');
    comer.onPauses((pauses) => late.push(pauses));
    await comer.looked();
    expect(late).toEqual([[aPause()]]);
  });

  test('and whatever else the database does not take is complained of once an outage', async () => {
    const rates = aProcess();
    for (const outage of [1, 2]) {
      await database.asOwner('alter table rate_pause rename to rate_pause_gone');
      rates.onPauses(() => undefined);
      await soon(() => expect(errors).toHaveLength(outage));
      for (let i = 0; i < 3; i += 1) {
        rates.onPauses(() => undefined);
        await rates.looked();
      }
      await database.asOwner('alter table rate_pause_gone rename to rate_pause');
      rates.onPauses(() => undefined);
      await rates.looked();
      expect(errors).toHaveLength(outage);
    }
  });

  test('is told once the database is back', async () => {
    const rates = aProcess();
    await database.asOwner('alter table rate_pause rename to rate_pause_gone');
    rates.pause(aPause());
    await soon(() => expect(errors.length).toBeGreaterThan(0));
    await database.asOwner('alter table rate_pause_gone rename to rate_pause');
    await soon(async () => expect(await take(rates)).toMatchObject({ outcome: 'paused' }));
  });
});
