import { expect, test } from 'vitest';
import type { OrderReported } from '../../src/contracts/messages/messages.ts';
import { add, divide, multiply } from '../../src/domain/decimal.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { database, request } from './account-each.ts';
import {
  aFill,
  committed,
  d,
  enter,
  exitIntent,
  messagesTo,
  nextTradeId,
  placeEntry,
  report,
  venueOrder,
} from './fixtures.ts';

type Placed = Awaited<ReturnType<typeof placeEntry>>;

/** Fills the order of 1 in so many equal parts, one report each. */
async function fillInParts(order: Placed, parts: number): Promise<void> {
  const part = divide(d('1'), d(String(parts)));
  let filled = d('0');
  for (let count = 1; count <= parts; count += 1) {
    filled = add(filled, part);
    const status = count === parts ? 'filled' : 'partiallyFilled';
    await report(database.db, venueOrder(order, status, filled, [aFill(String(nextTradeId()), part)]));
  }
}

const toldOf = async (workflowId: string, signalName: string) =>
  (await messagesTo(database.db, workflowId))
    .filter(({ signal_name }) => signal_name === signalName)
    .map(({ signal_args }) => signal_args?.[0] as OrderReported);

test('an entry hears once a percent of the fills on the way, and of its end; its monitor hears of each', async () => {
  await fillInParts(await placeEntry(database.db, request), 200);
  const told = await toldOf(`entry-${request.tradeId}`, 'orderReported');
  expect(told.length).toBeLessThanOrEqual(102);
  expect(told.length).toBeGreaterThanOrEqual(100);
  expect(told[0]).toMatchObject({ status: 'partiallyFilled', filledQuantity: '0.005' });
  expect(told.at(-1)).toMatchObject({ status: 'filled', filledQuantity: '1', fillsComplete: true });
  expect(await toldOf(`position-${request.tradeId}`, 'entryProgressed')).toHaveLength(200);
});

test('an entry hears of every fill that is a percent of its order or more', async () => {
  await fillInParts(await placeEntry(database.db, request), 20);
  const told = await toldOf(`entry-${request.tradeId}`, 'orderReported');
  const parts = Array.from({ length: 20 }, (_, index) => multiply(d('0.05'), d(String(index + 1))));
  expect(told.map(({ filledQuantity }) => filledQuantity)).toEqual(parts);
});

test('an entry hears that its order ended, however little it has filled since', async () => {
  const order = await placeEntry(database.db, request);
  const [first, last] = [aFill(String(nextTradeId()), '0.5'), aFill(String(nextTradeId()), '0.0001')];
  await report(database.db, venueOrder(order, 'partiallyFilled', '0.5', [first]));
  await report(database.db, venueOrder(order, 'partiallyFilled', '0.5001', [last]));
  await report(database.db, venueOrder(order, 'canceled', '0.5001'));
  expect(await toldOf(`entry-${request.tradeId}`, 'orderReported')).toMatchObject([
    { status: 'partiallyFilled', filledQuantity: '0.5' },
    { status: 'canceled', filledQuantity: '0.5001', fillsComplete: true },
  ]);
});

test('an exit hears of each fill of its order, however small', async () => {
  await enter(database.db, request);
  const exit = committed(await commitIntent(database.db, exitIntent(request, d('1'))));
  await fillInParts(exit, 200);
  expect(await toldOf(`exit-${request.tradeId}`, 'orderReported')).toHaveLength(200);
});
