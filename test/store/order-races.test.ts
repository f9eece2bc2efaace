import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import type { VenueFill } from '../../src/contracts/messages/venue-order.ts';
import {
  add,
  type Decimal,
  isEqual,
  isMore,
  multiply,
  smaller,
  subtract,
  sum,
  zero,
} from '../../src/domain/decimal.ts';
import { isClosed } from '../../src/domain/order.ts';
import type { OutcomeClass } from '../../src/domain/outcome.ts';
import { requestExit, settleTrade } from '../../src/store/exits/exits.ts';
import { type BookOrder, readOrder } from '../../src/store/orders/book-order.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { recordSend } from '../../src/store/orders/order-sends.ts';
import { denyOrder, parkOrder, resolveOrder } from '../../src/store/orders/order-settling.ts';
import type { GateBook } from '../../src/store/trades/decisions.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  aFill,
  approving,
  aRequest,
  committed,
  d,
  decide,
  decisionOf,
  enter,
  entryIntent,
  exitIntent,
  messagesTo,
  nowMs,
  openAccount,
  phaseOf,
  placeEntry,
  recordsOf,
  report,
  reservationOf,
  retrying,
  venueOrder,
} from './fixtures.ts';

let database: TestDatabase;
let trades = 0;
beforeAll(async () => {
  database = await aDatabase({ poolMax: 20 });
  await openAccount(database.db);
});
afterAll(() => database.close());

const freshRequest = (): EntryRequest => {
  trades += 1;
  return aRequest({ tradeId: `trade-${trades}` });
};

let venueTradeIds = 0;
/** Tenths of a BTC at a price each. */
const fillsOf = (parts: readonly { tenths: number; price: number }[]): readonly VenueFill[] =>
  parts.map(({ tenths, price }) => {
    venueTradeIds += 1;
    const quantity = multiply(d(String(tenths)), d('0.1'));
    return aFill(String(venueTradeIds), quantity, {
      price: d(String(price)),
      quoteQuantity: multiply(quantity, d(String(price))),
      fee: d('0.01'),
    });
  });

const positionOf = (tradeId: string) =>
  database.db.selectFrom('position').selectAll().where('trade_id', '=', tradeId).executeTakeFirst();

/** At most ten tenths in all. */
const someFills = fc
  .array(fc.record({ tenths: fc.integer({ min: 1, max: 4 }), price: fc.integer({ min: 90, max: 110 }) }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => {
    let left = 10;
    return parts.flatMap((part) => {
      const tenths = Math.min(part.tenths, left);
      left -= tenths;
      return tenths === 0 ? [] : [{ ...part, tenths }];
    });
  });

/** What the venue says with each fill, as it counts on. */
function reportsOf(order: BookOrder, fills: readonly VenueFill[]) {
  let filled: Decimal = zero;
  return fills.map((fill) => {
    filled = add(filled, fill.quantity);
    return venueOrder(order, isEqual(filled, order.quantity) ? 'filled' : 'partiallyFilled', filled, [fill]);
  });
}

describe('fills are a set', () => {
  test('whatever order they come in and however often, they are counted once', async () => {
    await fc.assert(
      fc.asyncProperty(someFills, fc.infiniteStream(fc.nat()), async (parts, random) => {
        const order = await placeEntry(database.db, freshRequest());
        const fills = fillsOf(parts);
        const reports = reportsOf(order, fills);
        const shuffled = [...reports, ...reports].map((each) => ({ each, at: random.next().value ?? 0 }));
        for (const { each } of shuffled.toSorted((a, b) => a.at - b.at)) await report(database.db, each);

        const bought = sum(fills.map((fill) => fill.quantity));
        const paid = sum(fills.map((fill) => fill.quoteQuantity));
        expect(await positionOf(order.tradeId)).toMatchObject({ entry_quantity: bought, entry_quote: paid });
        const after = await readOrder(database.db, order.clientOrderId);
        expect(after?.reported).toMatchObject({ filledQuantity: bought, filledQuote: paid, fillsComplete: true });
        expect(after?.status).toBe(isEqual(bought, d('1')) ? 'filled' : 'partiallyFilled');
        const records = (await recordsOf(database.db, order.tradeId)).filter(({ type }) => type === 'Fill');
        expect(new Set(records.map(({ body }) => body['venueTradeId']))).toEqual(
          new Set(fills.map((fill) => fill.venueTradeId)),
        );
        expect(records).toHaveLength(fills.length);
      }),
      { numRuns: 25 },
    );
  });

  test('told by the placement, the stream and the look-up at the same time, they are counted once', async () => {
    const order = await placeEntry(database.db, freshRequest());
    const fills = fillsOf([
      { tenths: 4, price: 100 },
      { tenths: 6, price: 101 },
    ]);
    const whole = venueOrder(order, 'filled', '1', fills);
    const ways = [
      ...reportsOf(order, fills).map((each) => () => report(database.db, each, { via: 'stream' })),
      () => report(database.db, whole, { via: 'lookup' }),
      () =>
        report(database.db, whole, {
          via: 'send',
          send: { epoch: 1, outcome: 'ACCEPTED', httpStatus: 200, venueCode: null, detail: '' },
        }),
    ];

    await Promise.all([...ways, ...ways].map((way) => retrying(way)));

    expect(await positionOf(order.tradeId)).toMatchObject({
      entry_quantity: '1',
      entry_quote: '100.6',
      quote_fee: '0.02',
    });
    const types = (await recordsOf(database.db, order.tradeId)).map(({ type }) => type);
    expect(types.filter((type) => type === 'Fill')).toHaveLength(2);
    expect(types.filter((type) => type === 'OrderAcked')).toHaveLength(1);
    expect(types.filter((type) => type === 'PositionOpened')).toHaveLength(1);
    const messages = await messagesTo(database.db, `position-${order.tradeId}`);
    expect(messages.filter(({ signal_args }) => JSON.stringify(signal_args).includes('"isFinal":true'))).toHaveLength(
      1,
    );
  });
});

test('fills of the entry and of the exit at the same moment are both in the position', async () => {
  for (let round = 0; round < 15; round += 1) {
    const request = freshRequest();
    const entry = await placeEntry(database.db, request);
    const [bought, later, sold] = fillsOf([
      { tenths: 5, price: 100 },
      { tenths: 3, price: 100 },
      { tenths: 2, price: 110 },
    ]);
    if (!bought || !later || !sold) throw new Error('three fills');
    await report(database.db, venueOrder(entry, 'partiallyFilled', '0.5', [bought]));
    const exit = committed(await commitIntent(database.db, exitIntent(request, d('0.5'))));

    await Promise.all([
      report(database.db, venueOrder(entry, 'partiallyFilled', '0.8', [later])),
      report(database.db, venueOrder(exit, 'partiallyFilled', '0.2', [sold])),
    ]);

    expect(await positionOf(request.tradeId)).toMatchObject({
      entry_quantity: '0.8',
      exit_quantity: '0.2',
      exit_quote: '22',
      quote_fee: '0.03',
    });
  }
});

describe('exit intents', () => {
  test('never add up to more than the position, however many come at the same time', async () => {
    const request = freshRequest();
    await enter(database.db, request);
    const wanted = Array.from({ length: 20 }, (_, index) => multiply(d(String(1 + (index % 3))), d('0.15')));

    const outcomes = await Promise.all(
      wanted.map((quantity, index) =>
        retrying(() => commitIntent(database.db, exitIntent(request, quantity, index + 1))),
      ),
    );

    const sold = sum(wanted.filter((_, index) => outcomes[index]?.outcome === 'committed'));
    expect(isMore(sold, d('1'))).toBe(false);
    // Nothing that fits is refused: what is left is smaller than what anybody wanted and did not get.
    const refused = wanted.filter((_, index) => outcomes[index]?.outcome === 'exceeds-position');
    expect(refused.filter((quantity) => !isMore(add(sold, quantity), d('1')))).toEqual([]);
  });
});

type Step =
  | { readonly kind: 'send'; readonly outcome: OutcomeClass }
  | { readonly kind: 'report'; readonly status: 'new' | 'partiallyFilled' | 'filled' | 'canceled' | 'expired' }
  | { readonly kind: 'fill'; readonly tenths: number }
  | { readonly kind: 'park' | 'dead' | 'lookAgain' | 'deny' | 'requestExit' | 'settle' };

const someSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('send' as const),
      outcome: fc.constantFrom<OutcomeClass>('NOT_SENT', 'THROTTLED', 'UNKNOWN', 'REJECTED'),
    }),
    fc.record({
      kind: fc.constant('report' as const),
      status: fc.constantFrom('new', 'partiallyFilled', 'filled', 'canceled', 'expired'),
    }),
    fc.record({ kind: fc.constant('fill' as const), tenths: fc.integer({ min: 1, max: 5 }) }),
    fc.constantFrom<Step>(
      { kind: 'park' },
      { kind: 'dead' },
      { kind: 'lookAgain' },
      { kind: 'deny' },
      { kind: 'requestExit' },
      { kind: 'settle' },
    ),
  ),
  { maxLength: 8 },
);

/** Takes one step with an order of 1 BTC, as if the venue had filled `filled` so far. Returns what it has filled then. */
async function take(order: BookOrder, step: Step, filled: Decimal): Promise<Decimal> {
  const { db } = database;
  const { tradeId, clientOrderId } = order;
  switch (step.kind) {
    case 'send':
      await recordSend(db, {
        clientOrderId,
        send: { epoch: 1, outcome: step.outcome, httpStatus: 400, venueCode: null, detail: '' },
        nowMs,
      });
      return filled;
    case 'report':
      await report(db, venueOrder(order, step.status, step.status === 'filled' ? '1' : filled));
      return filled;
    case 'fill': {
      const after = smaller(add(filled, multiply(d(String(step.tenths)), d('0.1'))), d('1'));
      if (isEqual(after, filled)) return filled;
      venueTradeIds += 1;
      const fill = aFill(String(venueTradeIds), subtract(after, filled));
      const status = isEqual(after, d('1')) ? 'filled' : 'partiallyFilled';
      const { outcome } = await report(db, venueOrder(order, status, after, [fill]));
      return outcome === 'illegal' ? filled : after;
    }
    case 'park':
      await parkOrder(db, { clientOrderId, nowMs });
      return filled;
    case 'dead':
    case 'lookAgain': {
      const verdict = step.kind === 'dead' ? 'dead' : 'look-again';
      await resolveOrder(db, { clientOrderId, verdict, actor: 'anna', reason: 'looked', nowMs });
      return filled;
    }
    case 'deny':
      await denyOrder(db, { order: { ...order, clientOrderId }, code: 'ORDER_NOT_SENT', nowMs });
      return filled;
    case 'requestExit':
      await requestExit(db, { tradeId, reason: 'operator', source: 'test', nowMs });
      return filled;
    case 'settle':
      await settleTrade(db, { tradeId, isSettled: () => true, nowMs });
      return filled;
  }
}

async function readExposures(request: EntryRequest): Promise<GateBook['exposures']> {
  let seen: GateBook['exposures'] = [];
  trades += 1;
  const probe = { ...request, tradeId: `probe-${trades}` };
  await decide(database.db, probe, (book) => {
    seen = book.exposures;
    return { decision: decisionOf(probe, 'denied'), reservations: [] };
  });
  return seen.filter(({ tradeId }) => tradeId === request.tradeId);
}

describe('a reservation', () => {
  test('is conserved: posted, voided and pending always add up, and nothing pending is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(someSteps, async (steps) => {
        const request = freshRequest();
        const order = await placeEntry(database.db, request);
        let filled: Decimal = zero;
        let hasEnded = false;
        for (const step of steps) {
          filled = await take(order, step, filled);
          hasEnded = await checkConservation(request, order, hasEnded);
        }
      }),
      { numRuns: 40 },
    );
  });

  /** Returns whether the entry has ended by now, or had before: only then may something be given back. */
  async function checkConservation(request: EntryRequest, order: BookOrder, hadEnded: boolean): Promise<boolean> {
    const { quantity, posted, voided } = await reservationOf(database.db, request.tradeId);
    const position = await positionOf(request.tradeId);
    const now = await readOrder(database.db, order.clientOrderId);
    const bought = position?.entry_quantity ?? zero;
    const fills = await database.db
      .selectFrom('fill')
      .select('quantity')
      .where('trade_id', '=', request.tradeId)
      .execute();
    const phase = await phaseOf(database.db, request.tradeId);

    expect(sum(fills.map((fill) => fill.quantity))).toBe(bought);
    expect(posted).toBe(smaller(bought, subtract(quantity, voided)));
    const isOver = now !== undefined && isClosed(now.status) && !now.inDoubt && now.reported.fillsComplete;
    const isLeft = ['closed', 'unfilled'].includes(phase);
    const hasEnded = hadEnded || isOver || isLeft;
    if (isOver || isLeft) expect(add(posted, voided)).toBe(quantity);
    if (!hasEnded) expect(voided).toBe(zero);
    if (phase === 'unfilled') expect(bought).toBe(zero);
    if (phase === 'closed' || phase === 'open') expect(isMore(bought, zero)).toBe(true);

    // Filled at the price that was reserved, a trade never counts for more than its reservation did, unless it was
    // declared dead and filled after all: then it counts for what it has bought.
    const exposure = sum((await readExposures(request)).map(({ notional }) => notional));
    expect(isMore(exposure, multiply(add(quantity, smaller(voided, bought)), d('100')))).toBe(false);
    if (phase === 'open' && isOver) expect(exposure).toBe(multiply(bought, d('100')));
    return hasEnded;
  }
});

test('an entry and an exit request at the same moment leave either an order that the exit sees, or none', async () => {
  for (let round = 0; round < 20; round += 1) {
    const request = freshRequest();
    await decide(database.db, request, approving(request));
    const [intended, asked] = await Promise.all([
      commitIntent(database.db, entryIntent(request)),
      requestExit(database.db, { tradeId: request.tradeId, reason: 'operator', source: 'test', nowMs }),
    ]);
    expect(asked).toBe('requested');
    expect(['committed', 'exit-requested']).toContain(intended.outcome);
    const settled = await settleTrade(database.db, { tradeId: request.tradeId, isSettled: () => true, nowMs });
    expect(settled === null).toBe(intended.outcome === 'committed');
  }
});
