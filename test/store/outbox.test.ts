import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createListener } from '../../src/store/listener.ts';
import {
  enqueue,
  enqueuePoke,
  forgetSettled,
  type NewMessage,
  postpone,
  settle,
  takeDue,
} from '../../src/store/outbox.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { messagesTo, nowMs } from './fixtures.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase({ poolMax: 20 });
});
afterAll(() => database.close());
beforeEach(() => database.asOwner('truncate outbox'));

const aSignal = (workflowId: string): NewMessage => ({
  action: 'signal',
  tradeId: 'trade-1',
  workflowId,
  signalName: 'orderReported',
  signalArgs: [{ filledQuantity: '1.10' }],
});

const aStart: NewMessage = {
  action: 'start',
  workflowId: 'exit-trade-1',
  workflowType: 'exit',
  taskQueue: 'ratchet-guards',
  startArgs: [{ tradeId: 'trade-1' }],
  summary: 'close BTC/USDT',
};

const put = (messages: readonly NewMessage[], atMs = nowMs) =>
  database.db.transaction().execute((tx) => enqueue(tx, messages, atMs));

const take = (atMs = nowMs, limit = 100) => takeDue(database.db, { limit, nowMs: atMs });

describe('takeDue', () => {
  test('gives what was written, starts first, with decimals as they were', async () => {
    await put([aSignal('entry-1'), aStart]);
    expect(await take()).toMatchObject([
      { ...aStart, tradeId: null, attempts: 1, createdAtMs: nowMs },
      { ...aSignal('entry-1'), attempts: 1 },
    ]);
  });

  test('gives a message that is due later only then', async () => {
    await database.db.transaction().execute((tx) => enqueue(tx, [aSignal('entry-1')], nowMs, nowMs + 1_000));
    expect(await take(nowMs + 999)).toEqual([]);
    expect(await take(nowMs + 1_000)).toMatchObject([{ workflowId: 'entry-1', createdAtMs: nowMs, attempts: 1 }]);
  });

  test('gives a message to one taker, and to the next one when the first has died', async () => {
    await put([aSignal('entry-1')]);
    const [first] = await take();
    expect(await take(nowMs + 4_999)).toEqual([]);
    expect(await take(nowMs + 5_000)).toMatchObject([{ messageId: first?.messageId, attempts: 2 }]);
  });

  test('shares many messages between takers at the same time, each once', async () => {
    await put(Array.from({ length: 200 }, (_, index) => aSignal(`entry-${index}`)));
    const takers = Array.from({ length: 8 }, () => database.another(2));
    const taken = await Promise.all(
      takers.map(async (db) => {
        const mine: number[] = [];
        for (;;) {
          const messages = await takeDue(db, { limit: 10, nowMs });
          if (messages.length === 0) return mine;
          mine.push(...messages.map(({ messageId }) => messageId));
        }
      }),
    );
    const all = taken.flat();
    expect(new Set(all).size).toBe(all.length);
    // A taker that finds every row locked stops early; what it left is taken by the others, or now.
    const rest = await take();
    expect(all.length + rest.length).toBe(200);
  });

  test('does not give what was settled or postponed', async () => {
    await put([aSignal('entry-1'), aSignal('entry-2')]);
    const [first, second] = await take();
    await settle(database.db, { messageIds: [first?.messageId ?? 0], outcome: 'delivered', nowMs });
    await postpone(database.db, { messageId: second?.messageId ?? 0, untilMs: nowMs + 300 });
    expect(await take(nowMs + 299)).toEqual([]);
    expect(await take(nowMs + 300)).toMatchObject([{ messageId: second?.messageId }]);
    expect(await messagesTo(database.db, 'entry-1')).toMatchObject([{ settled_at_ms: nowMs, outcome: 'delivered' }]);
  });

  test('keeps the first outcome of a message', async () => {
    await put([aSignal('entry-1')]);
    const [{ messageId } = { messageId: 0 }] = await take();
    await settle(database.db, { messageIds: [messageId], outcome: 'delivered', nowMs });
    await settle(database.db, { messageIds: [messageId], outcome: 'target-gone', nowMs: nowMs + 1 });
    expect(await messagesTo(database.db, 'entry-1')).toMatchObject([{ settled_at_ms: nowMs, outcome: 'delivered' }]);
  });
});

test('forgets what was settled long ago, and nothing that waits', async () => {
  await put([aSignal('forget-old'), aSignal('forget-new'), aSignal('forget-open')]);
  const settled = await take();
  for (const { messageId, workflowId } of settled) {
    if (workflowId === 'forget-open') continue;
    const settledAtMs = workflowId === 'forget-old' ? nowMs : nowMs + 10;
    await settle(database.db, { messageIds: [messageId], outcome: 'delivered', nowMs: settledAtMs });
  }
  expect(await forgetSettled(database.db, nowMs + 10)).toBeGreaterThanOrEqual(1);
  expect(await messagesTo(database.db, 'forget-old')).toEqual([]);
  expect(await messagesTo(database.db, 'forget-new')).toHaveLength(1);
  expect(await messagesTo(database.db, 'forget-open')).toHaveLength(1);
});

describe('enqueuePoke', () => {
  const poke = (atMs: number) => database.db.transaction().execute((tx) => enqueuePoke(tx, 'breaker-x', atMs));
  const pokes = async () => (await messagesTo(database.db, 'breaker-x')).map((row) => row.next_attempt_at_ms);

  test('is said once while it waits, and at most once a second', async () => {
    await poke(nowMs);
    await poke(nowMs + 10);
    expect(await pokes()).toEqual([nowMs]);
    const [{ messageId } = { messageId: 0 }] = await take(nowMs + 20);
    await settle(database.db, { messageIds: [messageId], outcome: 'delivered', nowMs: nowMs + 30 });
    await poke(nowMs + 40);
    await poke(nowMs + 50);
    const [, second] = await pokes();
    expect(await pokes()).toHaveLength(2);
    // A second after the first was delivered, however long its taker might have had for it.
    expect(second).toBe(nowMs + 1_030);
  });

  test('is said again at once after a quiet second', async () => {
    await poke(nowMs);
    const [{ messageId } = { messageId: 0 }] = await take();
    await settle(database.db, { messageIds: [messageId], outcome: 'delivered', nowMs });
    await poke(nowMs + 1_500);
    expect((await pokes()).at(-1)).toBe(nowMs + 1_500);
  });

  test('is said again while an older one is on its way', async () => {
    await poke(nowMs);
    await take();
    await poke(nowMs + 100);
    expect(await pokes()).toHaveLength(2);
    expect((await pokes()).at(-1)).toBe(nowMs + 1_100);
  });
});

test('a commit wakes whoever listens', async () => {
  const listener = createListener({ url: database.appUrl, applicationName: 'test', onError: () => {} });
  const next = () =>
    new Promise<void>((resolve) => {
      const stop = listener.on('ratchet_outbox', () => {
        stop();
        resolve();
      });
    });
  await next();
  const heard = next();
  await put([aSignal('entry-1')]);
  await heard;
  await listener.close();
});

test('a listener that lost its connection listens again', async () => {
  const errors: Error[] = [];
  const listener = createListener({
    url: database.appUrl,
    applicationName: 'to-be-cut',
    onError: (error) => errors.push(error),
  });
  let connections = 0;
  const connected = (times: number) =>
    new Promise<void>((resolve) => {
      if (connections >= times) resolve();
      listener.on('ratchet_holds', () => connections >= times && resolve());
    });
  listener.on('ratchet_holds', () => {
    connections += 1;
  });
  await connected(1);
  await database.asOwner("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to-be-cut'");
  await connected(2);
  expect(errors).not.toEqual([]);
  await listener.close();
});
