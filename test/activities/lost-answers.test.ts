import { describe, expect, test } from 'vitest';
import type { UnresolvedPolicy } from '../../activities/dependencies.ts';
import type { EntryTerms } from '../../src/contracts/messages/entry-request.ts';
import type { FaultRule } from '../../src/simulator/server.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import {
  aTheater,
  immediate,
  limitThatFills,
  limitThatRests,
  lookingUp,
  market,
  placements,
  placing,
  status,
} from './stories.ts';

const theater = aTheater();
const policies: readonly UnresolvedPolicy[] = ['park', 'resend'];

/** `T_unk`: what is in doubt is settled or parked within it. */
const unknownMaxMs = 60_000;
/** Signed, plus window, API time-out and margin. */
const fenceMs = 33_000;

type Kind = { readonly name: string; readonly entry: EntryTerms; readonly quantity: string; readonly ends: string };

const kinds: readonly Kind[] = [
  { name: 'LIMIT', entry: { ...limitThatRests, expireAfterMs: 20_000 }, quantity: '1', ends: 'canceled' },
  { name: 'LIMIT that fills', entry: limitThatFills, quantity: '1', ends: 'filled' },
  { name: 'MARKET', entry: market, quantity: '1', ends: 'filled' },
  { name: 'IOC', entry: immediate, quantity: '70', ends: 'expired' },
];

describe.each(policies)('with policy %s', (unresolved) => {
  describe('F07: the response is dropped after the venue accepted', () => {
    test.each(kinds)('a $name is found and adopted, and sent once', async ({ entry, quantity, ends }) => {
      const bench = await theater.open({ unresolved });
      const { entry: order, tookMs } = await bench.trade({
        entry,
        quantity,
        faults: [placing('before_response', { action: 'drop' })],
      });
      expect(order).toMatchObject({ status: ends, inDoubt: false, fillsComplete: true, generation: 1 });
      const evidence = await bench.evidence();
      expect(judgeBench(evidence)).toEqual([]);
      const entries = placements(evidence).filter(({ parameters }) => parameters['side'] === 'BUY');
      expect(entries).toHaveLength(1);
      expect(tookMs).toBeLessThan(unknownMaxMs);
    });
  });

  describe('F08: the response is dropped and the look-up lags', () => {
    test.each([500, 5_000, 20_000])('by %d ms: it is not given up before the fence', async (ms) => {
      const bench = await theater.open({ unresolved });
      const { entry: order, tookMs } = await bench.trade({
        validForMs: 120_000,
        faults: [
          placing('before_response', { action: 'drop' }),
          { on: { method: 'GET', path: '/api/v3/*' }, phase: 'before_accept', do: { action: 'lagQuery', ms } },
        ],
      });
      expect(order).toMatchObject({ status: 'filled', generation: 1 });
      expect(tookMs).toBeLessThan(unknownMaxMs);
      expect(judgeBench(await bench.evidence())).toEqual([]);
    });
  });

  const losses: readonly (readonly [string, FaultRule['do']])[] = [
    ['F12: the connection is reset after the request', { action: 'reset' }],
    ['F13: half a response comes', { action: 'truncate', bytes: 20 }],
    ['F13: the response drips', { action: 'slow', everyMs: 1_000 }],
    ['F14: the answer is 200 and no JSON', { action: 'garbage' }],
    ['F14: the answer is 200 and empty', status(200, '')],
    ['F14: the answer is 200 and of another shape', status(200, { orderId: 'x' })],
    ['F15: the answer is 504 with -1007', status(504, { code: -1007, msg: 'Timeout waiting for response.' })],
    ['F15: the answer is 500 with -1006', status(500, { code: -1006, msg: 'An unexpected response was received.' })],
    ['F15: the answer is 503 with -1001', status(503, { code: -1001, msg: 'Internal error.' })],
    ['F15: the answer is 500 with -1000', status(500, { code: -1000, msg: 'An unknown error occurred.' })],
    ['F15: the answer is 503 with -1008', status(503, { code: -1008, msg: 'Server is currently overloaded.' })],
    ['F15: the answer is 502 and HTML', status(502, '<html>Bad gateway</html>')],
    ['F15: nothing is answered in time', { action: 'hang' }],
  ];

  describe.each(losses)('%s', (name, action) => {
    test('although the order was taken: it is adopted', async () => {
      const bench = await theater.open({ unresolved });
      const { entry: order, tookMs } = await bench.trade({ faults: [placing('before_response', action)] });
      expect(order).toMatchObject({ status: 'filled', generation: 1 });
      expect(tookMs).toBeLessThan(unknownMaxMs);
      const evidence = await bench.evidence();
      expect(judgeBench(evidence)).toEqual([]);
      expect(evidence.ledger.orders.filter(({ side }) => side === 'BUY')).toHaveLength(1);
    });

    // A truncated answer is one to an order that was taken.
    test.skipIf(action.action === 'truncate' || action.action === 'slow')(
      'and it was not: parked, or sent again as another one',
      async () => {
        const bench = await theater.open({ unresolved });
        const { entry: order, tookMs } = await bench.trade({
          validForMs: 120_000,
          faults: [placing('before_auth', action)],
        });
        const evidence = await bench.evidence();
        expect(judgeBench(evidence)).toEqual([]);
        expect(tookMs).toBeGreaterThan(fenceMs);
        expect(tookMs).toBeLessThan(unknownMaxMs);
        const entries = evidence.ledger.orders.filter(({ side }) => side === 'BUY');
        if (unresolved === 'park') {
          expect(order).toMatchObject({ status: 'parked', inDoubt: true });
          expect(entries).toHaveLength(0);
        } else if (name.endsWith('-1008')) {
          // The venue is overloaded: entries pause for minutes, and one that could not be sent again is given up.
          expect(order).toMatchObject({ status: 'denied', reasonCode: 'ORDER_NOT_SENT', generation: 2 });
          expect(entries).toHaveLength(0);
        } else {
          expect(order).toMatchObject({ status: 'filled', generation: 2 });
          expect(entries.map(({ clientOrderId }) => clientOrderId)).toEqual([order?.clientOrderId]);
        }
      },
    );
  });
});

describe('an order whose answers are lost five times', () => {
  test.each(kinds)('is one order at the venue, a $name', async ({ entry, quantity, ends }) => {
    const bench = await theater.open();
    const lost = [1, 2, 3, 4, 5].map((nth) => placing('before_response', { action: 'drop' }, nth));
    const { entry: order, struck } = await bench.trade({
      entry,
      quantity,
      faults: [...lost, ...[1, 2, 3, 4].map((nth) => lookingUp('before_response', { action: 'drop' }, nth))],
      // The first dies with the request on its way, the others when they have read that there is one.
      strikes: [1, 2, 3, 4, 5].map((call) => ({
        activity: 'placeOrder',
        call,
        point: call === 1 ? 14 : 2,
        kind: 'crash',
      })),
      exits: false,
    });
    expect(struck).toHaveLength(5);
    expect(order).toMatchObject({ status: ends });
    const evidence = await bench.evidence();
    expect(evidence.ledger.orders).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });
});
