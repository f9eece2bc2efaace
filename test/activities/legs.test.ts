import Big from 'big.js';
import { describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { setHold } from '../../src/store/trading-state/holds.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import type { ActivityName } from '../support/order-bench/run-activity.ts';
import type { Strike, StrikeKind } from '../support/order-bench/stage.ts';
import { haveEquity, type LegsEnd, type LegsPlan, marketsOfLegs, playLegs, requestOf, symbols } from './legs-story.ts';
import { aTheater, placing, status } from './stories.ts';

// Entries of several legs on the real book and the real venue: undisturbed, and struck at the boundaries of each activity:
// at all of them with FULL_LENGTH=1, which takes minutes, and at a few of them else.

const isFull = process.env['FULL_LENGTH'] === '1';
const theater = aTheater();

async function open(): Promise<OrderBench> {
  const bench = await theater.open({ simulator: marketsOfLegs, watch: false });
  await haveEquity(theater.db(), bench);
  return bench;
}

/** Of each symbol, what the venue's ledger says that the trade bought and has not sold. */
function heldAtVenue({ simulator }: OrderBench): readonly string[] {
  const { fills } = simulator.exchange.books;
  return symbols.map((symbol) =>
    fills
      .filter((fill) => fill.symbol === symbol.replace('/', ''))
      .reduce((held, { side, quantity }) => (side === 'BUY' ? held.plus(quantity) : held.minus(quantity)), new Big(0))
      .toFixed(),
  );
}

const flat = symbols.map(() => '0');
const entriesSent = ({ simulator }: OrderBench): readonly string[] =>
  [...simulator.exchange.books.orders.values()].filter(({ side }) => side === 'BUY').map(({ symbol }) => symbol);
const onSymbol = (symbol: string) => ({ match: { symbol: `^${symbol}$` } });

/** What befalls the second of two legs, and how the trade ends. */
type Story = {
  readonly name: string;
  readonly prepare?: (bench: OrderBench) => unknown;
  readonly plan: LegsPlan;
  readonly between?: (bench: OrderBench) => (filled: number) => Promise<unknown>;
  readonly ends: LegsEnd['outcome'];
};

/** At the price of the book's first level, which has 50: the rest finds nobody. */
const limit = (timeInForce: 'GTC' | 'IOC', expireAfterMs: number) =>
  ({ type: 'LIMIT', price: decimal('100'), timeInForce, expireAfterMs }) as const;

const rejection = status(400, { code: -2010, msg: 'Account has insufficient balance for requested action.' });
const onSecond = (phase: Parameters<typeof placing>[0], action: Parameters<typeof placing>[1]) => {
  const rule = placing(phase, action);
  return { ...rule, on: { ...rule.on, ...onSymbol('ETHUSDT') } };
};

const twoLegs = { quantities: ['1', '2'] };
const stories: readonly Story[] = [
  { name: 'both fill', plan: twoLegs, ends: 'entered' },
  {
    name: 'the venue refuses the second',
    plan: twoLegs,
    prepare: ({ simulator }) => simulator.plan(onSecond('before_accept', rejection)),
    ends: 'compensated',
  },
  {
    name: 'the second fills in part and expires',
    plan: { quantities: ['1', '70'], entry: limit('IOC', 60_000) },
    ends: 'compensated',
  },
  {
    name: 'the second fills in part, rests, and its time is over',
    plan: { quantities: ['1', '70'], entry: limit('GTC', 5_000) },
    ends: 'compensated',
  },
  {
    name: 'the answer about the second is lost',
    plan: twoLegs,
    prepare: ({ simulator }) => simulator.plan(onSecond('before_response', { action: 'drop' })),
    ends: 'entered',
  },
  {
    name: 'the second never gets to the venue',
    plan: twoLegs,
    prepare: ({ simulator }) => simulator.plan(onSecond('before_accept', { action: 'drop' })),
    ends: 'compensated',
  },
  {
    name: 'a hold comes in between',
    plan: twoLegs,
    between: (bench) => async (filled) => {
      if (filled !== 1) return;
      await theater
        .db()
        .transaction()
        .execute((tx) =>
          setHold(tx, {
            scope: { kind: 'account', id: bench.account },
            source: 'operator',
            level: 'entries-blocked',
            actor: 'anna',
            reason: 'news',
            nowMs: bench.nowMs(),
          }),
        );
    },
    ends: 'compensated',
  },
];

async function play(story: Story, bench: OrderBench, strikes: readonly Strike[] = []): Promise<LegsEnd> {
  await story.prepare?.(bench);
  const between = story.between?.(bench);
  return playLegs(theater.db(), bench, { ...story.plan, strikes, ...(between && { between }) });
}

describe.each(stories)('$name', (story) => {
  test(`undisturbed: ${story.ends}`, async () => {
    const bench = await open();
    const { outcome, closed } = await play(story, bench);
    expect(outcome).toBe(story.ends);
    expect(closed).toMatchObject({ symbol: 'BTC/USDT', otherLegs: [{ symbol: 'ETH/USDT' }] });
    expect(heldAtVenue(bench)).toEqual(flat);
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test.each<StrikeKind>(['crash', 'fail', 'pause'])(
    'struck by a %s anywhere: all legs or none, each sent at most once',
    async (kind) => {
      const rehearsal = await open();
      const { runner } = await play(story, rehearsal);
      await rehearsal.close();
      const faults: string[] = [];
      const strikes = strikesOf(runner.passed, kind);
      expect(strikes.length).toBeGreaterThan(100);
      for (const strike of isFull ? strikes : aFewOf(strikes)) {
        const bench = await open();
        const end = await play(story, bench, [strike]);
        const where = `${kind} ${strike.activity} ${strike.call} #${strike.point}`;
        for (const fault of faultsOf(bench, end)) faults.push(`${where}: ${fault}`);
        for (const fault of judgeBench(await bench.evidence())) faults.push(`${where}: ${fault}`);
        await bench.close();
      }
      expect(faults).toEqual([]);
    },
    300_000,
  );
});

describe('the gate', () => {
  const decide = async (changed: Partial<EntryRequest> = {}, simulator: object = marketsOfLegs) => {
    const bench = await theater.open({ simulator, watch: false });
    await haveEquity(theater.db(), bench);
    const request = { ...requestOf(bench, twoLegs), ...changed };
    const runner = bench.runner();
    const { decision } = await runner.run('checkLimits', [request, 'run-1']);
    return { bench, runner, request, decision };
  };
  const legsOf = (...legs: readonly Partial<EntryRequest['legs'][number]>[]) =>
    legs.map((leg, place) => ({
      symbol: symbols[place] ?? '',
      side: 'BUY' as const,
      quantity: decimal('1'),
      unitDelta: decimal('1'),
      ...leg,
    }));

  test('decides on all legs at once, each with its own price', async () => {
    const markets = symbols.map((symbol, i) => ({ symbol, price: ['100', '20', '5'][i] ?? '1' }));
    const { decision } = await decide({}, { markets });
    expect(decision).toMatchObject({ outcome: 'approved', price: { last: '100' }, otherPrices: [{ last: '20' }] });
    const measured = decision.evaluations.filter(({ control }) => control === 'order_notional');
    expect(measured).toMatchObject([
      { scope: 'BTC/USDT', wouldBe: '100' },
      { scope: 'ETH/USDT', wouldBe: '40' },
    ]);
  });

  test.each<{ name: string; legs: EntryRequest['legs']; code: string; scope: string }>([
    {
      name: 'sells on a spot venue',
      legs: legsOf({}, { side: 'SELL' }),
      code: 'SHORT_ENTRY_REFUSED',
      scope: 'ETH/USDT',
    },
    {
      name: 'costs too little for the venue',
      legs: legsOf({}, { quantity: decimal('0.01') }),
      code: 'NOTIONAL',
      scope: 'ETH/USDT',
    },
    {
      name: 'is too much together with the other',
      legs: legsOf({ quantity: decimal('5500') }, { quantity: decimal('5500') }),
      code: 'PORTFOLIO_DELTA_EXCEEDED',
      scope: 'account',
    },
  ])('denies the whole trade when one leg $name', async ({ legs, code, scope }) => {
    const { decision } = await decide({ legs });
    expect(decision.outcome).toBe('denied');
    expect(decision.reasons.map((reason) => [reason.code, reason.context['scope']])).toContainEqual([code, scope]);
  });

  test('names the leg whose symbol the venue does not have', async () => {
    const asked = decide({ legs: legsOf({}, { symbol: 'XYZ/USDT' }) });
    await expect(asked).rejects.toThrow(/legs\[1\]\.symbol/);
  });

  test("bounds each leg's slippage by its own price", async () => {
    const markets = symbols.map((symbol, i) => ({ symbol, price: ['100', '20', '5'][i] ?? '1' }));
    const entry = { type: 'MARKET', maxSlippageBps: 50 } as const;
    const { bench, runner, request } = await decide({ entry }, { markets });
    const ref = { tradeId: request.tradeId, purpose: 'entry', generation: 1 } as const;
    for (const leg of [0, 1]) await runner.run('placeOrder', [{ ...ref, leg }]);
    const limits = [...bench.simulator.exchange.books.orders.values()].map(({ limitPrice }) => limitPrice);
    expect(limits).toEqual(['100.5', '20.1']);
  });
});

function faultsOf(bench: OrderBench, { outcome, orders, closed }: LegsEnd): readonly string[] {
  const sent = entriesSent(bench);
  const isComplete = orders.every((order) => order?.status === 'filled');
  return [
    ...(outcome === (isComplete ? 'entered' : 'compensated') ? [] : [`it is ${outcome}`]),
    ...(closed === null ? ['it is not closed'] : []),
    ...(heldAtVenue(bench).every((held) => held === '0') ? [] : [`the venue holds ${heldAtVenue(bench).join(', ')}`]),
    ...(new Set(sent).size === sent.length ? [] : [`sent ${sent.join(', ')}`]),
  ];
}

const struckActivities: readonly ActivityName[] = [
  'checkLimits',
  'placeOrder',
  'findOrder',
  'cancelOrder',
  'requestExit',
  'planExit',
  'settleTrade',
];

const strikesOf = (passed: Readonly<Record<string, readonly number[]>>, kind: StrikeKind): readonly Strike[] =>
  struckActivities.flatMap((activity) =>
    (passed[activity] ?? []).flatMap((points, index) =>
      Array.from({ length: points }, (_, point) => ({ activity, call: index + 1, point, kind })),
    ),
  );

/** Others for each kind, spread over the whole story. */
function aFewOf(strikes: readonly Strike[]): readonly Strike[] {
  const every = 29;
  const first = { crash: 0, fail: 10, pause: 20 }[strikes[0]?.kind ?? 'crash'];
  return strikes.filter((_, place) => place % every === first);
}
