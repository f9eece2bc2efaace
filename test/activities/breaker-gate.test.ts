import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { breakerDefaults } from '../../src/domain/circuit-breaker.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { addOutcome } from '../../src/store/trading-state/breaker.ts';
import { aHalting, type Halting, placedBy } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let world: Halting;
beforeEach(async () => {
  database = await aDatabase();
  world = await aHalting(database.db);
});
afterEach(async () => {
  await world.close();
  await database.close();
});

const { failureThreshold, openTimeoutMs } = breakerDefaults;
/** As the order path adds them; nobody folds them here. */
const fails = (count: number) =>
  database.db.transaction().execute(async (tx) => {
    const failure = { account: 'main', kind: 'failure', cause: 'HTTP 503', nowMs: world.nowMs() } as const;
    for (let n = 0; n < count; n += 1) await addOutcome(tx, { ...failure, clientOrderId: `failed-${n}` });
  });
const placements = () =>
  world.simulator.requests().filter(({ method, path }) => method === 'POST' && path === '/api/v3/order').length;

test('an entry that was approved before the breaker opened does not reach the venue after', async () => {
  await world.approve('approved');
  await fails(failureThreshold);
  expect(await world.send('approved')).toMatchObject({ status: 'denied', reasonCode: 'BREAKER_OPEN' });
  expect(placements()).toBe(0);
  const reserved = await database.db.selectFrom('reservation').selectAll().executeTakeFirstOrThrow();
  expect(reserved.voided_quantity).toBe(reserved.quantity);
});

test('an entry that the venue throttled is not sent again once the breaker is open', async () => {
  await world.approve('throttled');
  world.plan({ on: { method: 'POST' }, phase: 'before_accept', do: { action: 'status', code: 429 }, times: 1 });
  await expect(world.send('throttled')).rejects.toThrow('ORDER_NOT_PLACED');
  await fails(failureThreshold);
  world.simulator.clock.shift(world.deps.timings.recvWindowMs + 1);
  expect(await world.send('throttled')).toMatchObject({ status: 'denied', reasonCode: 'BREAKER_OPEN' });
  expect(placements()).toBe(1);
  const reserved = await database.db.selectFrom('reservation').selectAll().executeTakeFirstOrThrow();
  expect(reserved.voided_quantity).toBe(reserved.quantity);
});

test('an entry that could not be sent at once looks at the breaker again', async () => {
  await world.approve('late');
  const room = world.deps.rooms.get('paper');
  if (room === undefined) throw new Error('the paper venue has its room');
  const placeOrder = vi.fn(async () => ({ outcome: 'NOT_SENT', detail: 'connection refused' }) as const);
  const deps = {
    ...world.deps,
    rooms: new Map([['paper', { ...room, venue: { ...room.venue, placeOrder } }]]),
    // Until it is tried again.
    async sleep() {
      await fails(failureThreshold);
      world.simulator.clock.shift(150);
    },
  };
  const order = { tradeId: 'late', leg: 0, purpose: 'entry', generation: 1 } as const;
  await expect(placedBy(deps, order)).rejects.toThrow('the breaker opened before it was sent');
  expect(placeOrder).toHaveBeenCalledTimes(1);
});

test('one failure fewer, or the end of its time-out, lets it through', async () => {
  await world.approve('closed');
  await fails(failureThreshold - 1);
  expect(await world.send('closed')).toMatchObject({ status: 'new' });
  await fails(1);
  await world.approve('half-open');
  world.simulator.clock.shift(openTimeoutMs);
  expect((await world.send('half-open')).reasonCode).not.toBe('BREAKER_OPEN');
});

test('an exit never asks', async () => {
  await world.enter('open', { price: '101' });
  await fails(failureThreshold);
  const terms = {
    side: 'SELL',
    orderType: 'MARKET',
    quantity: decimal('0.5'),
    limitPrice: null,
    stopPrice: null,
  } as const;
  expect(await world.sendExit('open', terms)).toMatchObject({ status: 'filled' });
});
