import { beforeAll, describe, expect, test } from 'vitest';
import { judgeBench } from '../support/order-bench/judge.ts';
import type { ActivityName } from '../support/order-bench/run-activity.ts';
import type { Strike, StrikeKind } from '../support/order-bench/stage.ts';
import { aTheater, canceling, immediate, limitThatRests, market, placements, placing } from './stories.ts';

// Each boundary of each activity of the order path, once: the process dies there, the database's answer is lost there,
// or the process sleeps there while another one does its work. Boundaries are counted on an undisturbed run first. With
// FULL_LENGTH=1 it is each of them, without it every twelfth.

const stride = process.env['FULL_LENGTH'] === '1' ? 1 : 12;

const theater = aTheater();

type Story = {
  readonly name: string;
  readonly plan: Parameters<Awaited<ReturnType<typeof theater.open>>['trade']>[0];
  readonly activities: readonly ActivityName[];
  /** Without an intent, or with one that nobody knows the end of, there may be no order in the end. */
  readonly ends: RegExp;
};

const stories: readonly Story[] = [
  {
    name: 'a MARKET entry and its exit',
    plan: { entry: market },
    activities: ['checkLimits', 'placeOrder', 'requestExit', 'planExit', 'settleTrade'],
    ends: /^(filled|parked|denied)$/,
  },
  {
    name: 'an IOC entry that fills in part',
    plan: { entry: immediate, quantity: '70' },
    activities: ['placeOrder'],
    ends: /^(expired|parked|denied)$/,
  },
  {
    name: 'a LIMIT entry that is canceled',
    plan: { entry: { ...limitThatRests, expireAfterMs: 5_000 } },
    activities: ['placeOrder', 'cancelOrder'],
    ends: /^(canceled|parked|denied)$/,
  },
  {
    name: 'an entry whose answer is lost',
    plan: { entry: market, faults: [placing('before_response', { action: 'drop' })] },
    activities: ['placeOrder', 'findOrder'],
    ends: /^(filled|parked|denied)$/,
  },
  {
    name: 'a cancel whose answer is lost',
    plan: {
      entry: { ...limitThatRests, expireAfterMs: 5_000 },
      faults: [canceling('before_response', { action: 'drop' })],
    },
    activities: ['cancelOrder'],
    ends: /^(canceled|parked|denied)$/,
  },
];

const kinds: readonly StrikeKind[] = ['crash', 'fail', 'pause'];

describe.each(stories)('$name', ({ plan, activities, ends }) => {
  const strikes: Strike[] = [];

  beforeAll(async () => {
    const bench = await theater.open();
    const { passed } = await bench.trade(plan);
    await bench.close();
    for (const activity of activities) {
      const calls = passed[activity] ?? [];
      calls.forEach((points, index) => {
        for (let point = 0; point < points; point += 1) {
          for (const kind of kinds) strikes.push({ activity, call: index + 1, point, kind });
        }
      });
    }
  });

  test.each(kinds)(
    'struck by a %s at each boundary it ends as it should',
    async (kind) => {
      const wanted = strikes.filter((strike) => strike.kind === kind).filter((_, index) => index % stride === 0);
      expect(wanted.length).toBeGreaterThan(0);
      const faults: string[] = [];
      let hits = 0;
      for (const strike of wanted) {
        const bench = await theater.open();
        const { tradeId, entry, closed, struck, decision } = await bench.trade({ ...plan, strikes: [strike] });
        await bench.settle();
        const where = `${kind} ${strike.activity} ${strike.call} #${strike.point}`;
        hits += struck.length;
        const isHeld = entry !== null && entry.filledQuantity !== '0' && entry.status !== 'parked';
        if (decision !== 'approved') faults.push(`${where}: ${tradeId} is ${decision}`);
        if (!ends.test(entry?.status ?? 'none')) faults.push(`${where}: the entry is ${entry?.status}`);
        if (isHeld && closed === null) faults.push(`${where}: the position is not closed`);
        for (const fault of judgeBench(await bench.evidence())) faults.push(`${where}: ${fault}`);
        await bench.close();
      }
      expect(faults).toEqual([]);
      // What the stream brings first leaves an attempt less to do, so that some boundaries are never reached.
      expect(hits).toBeGreaterThan(wanted.length / 2);
    },
    600_000,
  );
});

describe('F09: a sleeper wakes with its order still to be sent', () => {
  test.each([
    ['MARKET', market],
    ['LIMIT', limitThatRests],
    ['IOC', immediate],
  ])('a %s: the venue refuses it by the timestamp of its intent, and none is placed', async (_name, entry) => {
    const bench = await theater.open();
    const outcome = await bench.trade({
      entry,
      strikes: [{ activity: 'placeOrder', point: 0, before: 'placeOrder', kind: 'pause' }],
    });
    expect(outcome.struck).toHaveLength(1);
    expect(outcome.entry).toMatchObject({ status: 'denied', reasonCode: 'ORDER_NOT_SENT' });
    const evidence = await bench.evidence();
    expect(placements(evidence)).toMatchObject([{ accepted: false, code: -1021 }]);
    expect(evidence.ledger.orders).toEqual([]);
    expect(evidence.reservations).toMatchObject([{ posted_quantity: '0', voided_quantity: '1' }]);
    expect(judgeBench(evidence)).toEqual([]);
  });

  test.each(Array.from({ length: 14 }, (_, point) => point))(
    "asleep at #%d before that: no send goes out under a timestamp that is not the intent's",
    async (point) => {
      const bench = await theater.open();
      const { struck } = await bench.trade({ strikes: [{ activity: 'placeOrder', point, kind: 'pause' }] });
      expect(struck).toHaveLength(1);
      expect(judgeBench(await bench.evidence())).toEqual([]);
    },
  );
});
