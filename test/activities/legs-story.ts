import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { isNewer, type OrderReported, type PositionClosed, signals } from '../../src/contracts/messages/messages.ts';
import { entryId } from '../../src/contracts/messages/names.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { nextEntryStep } from '../../src/domain/entry-legs.ts';
import type { Db } from '../../src/store/database.ts';
import { resolveOrder } from '../../src/store/orders/order-settling.ts';
import { saveBalances } from '../../src/store/trading-state/accounts.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import { playExit, type Stagehands } from '../support/order-bench/lifecycles.ts';
import { ActivityFailed, type Runner } from '../support/order-bench/run-activity.ts';
import type { Strike } from '../support/order-bench/stage.ts';

export const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];

/** A venue with a market at 100 for each symbol, and fees in the quote asset. */
export const marketsOfLegs = {
  markets: symbols.map((symbol) => ({ symbol, price: '100', stepSize: '0.001', tradeQuantity: '1' })),
  fees: { paidIn: 'quote' },
} as const;

export type LegsPlan = {
  /** How much of each symbol, in their order. */
  readonly quantities: readonly string[];
  readonly entry?: EntryRequest['entry'];
  readonly strikes?: readonly Strike[];
  /** Comes between two steps of the entry, with the number of legs that are filled. */
  readonly between?: (filled: number) => Promise<unknown>;
};

export type LegsEnd = {
  readonly tradeId: string;
  readonly outcome: 'denied' | 'entered' | 'compensated';
  readonly orders: readonly (OrderReported | null)[];
  readonly closed: PositionClosed | null;
  readonly runner: Runner;
};

/** Room for every trade of a test: the gate needs to know what the account is worth. */
export const haveEquity = (db: Db, { account, nowMs }: OrderBench): Promise<void> =>
  saveBalances(db, { account, balances: [], equity: decimal('1000000'), fault: null, nowMs: nowMs() });

/**
 * What workflows/entry.ts does with its activities, without the engine, until all legs are held or none. What is parked
 * a person says to be dead. A trade that was entered is closed at the end.
 */
export async function playLegs(db: Db, bench: OrderBench, plan: LegsPlan): Promise<LegsEnd> {
  const runner = bench.runner(plan.strikes);
  const request = requestOf(bench, plan);
  const { tradeId, legs } = request;
  const hands: Stagehands = { runner, now: bench.nowMs, wait: bench.pass, heard: () => messagesTo(db, tradeId) };
  const orders: (OrderReported | null)[] = legs.map(() => null);
  const ends = (outcome: LegsEnd['outcome'], closed: PositionClosed | null): LegsEnd => {
    return { tradeId, outcome, orders, closed, runner };
  };
  const { outcome } = await runner.run('checkLimits', [request, 'run-1']);
  if (outcome !== 'approved') return ends('denied', null);

  const doubted = new Set<number>();
  const dueAtMs = new Map<number, number>();
  const hear = (report: OrderReported): void => {
    const known = orders[report.leg] ?? null;
    if (known === null || isNewer(report, known)) orders[report.leg] = report;
  };
  const ask = async (leg: number, asked: Promise<OrderReported>): Promise<void> => {
    doubted.delete(leg);
    await asked.then(hear, (error: unknown) => {
      if (!(error instanceof ActivityFailed)) throw error;
      doubted.add(leg);
    });
  };
  for (;;) {
    for (const report of await hands.heard(tradeId)) hear(report);
    await plan.between?.(orders.filter((order) => order?.status === 'filled').length);
    const known = legs.map((_, leg) => ({
      order: orders[leg] ?? null,
      isDoubted: doubted.has(leg),
      isDue: bench.nowMs() >= (dueAtMs.get(leg) ?? Infinity),
    }));
    const next = nextEntryStep(known, false);
    if (next.step === 'compensate') return ends('compensated', await playExit(hands, tradeId, 'legFailed'));
    if (next.step === 'end') return ends('entered', await playExit(hands, tradeId, 'operator'));
    const ref = { tradeId, leg: next.leg, purpose: 'entry', generation: 1 } as const;
    switch (next.step) {
      case 'place':
        await ask(next.leg, runner.run('placeOrder', [ref], { scheduleToCloseMs: 60_000 }));
        dueAtMs.set(next.leg, bench.nowMs() + expireAfterMsOf(request));
        break;
      case 'find':
        await ask(next.leg, runner.run('findOrder', [ref]));
        break;
      case 'cancel':
        await ask(next.leg, runner.run('cancelOrder', [ref]));
        break;
      case 'await':
        await bury(db, bench, orders[next.leg]);
        await bench.pass(1_000);
    }
  }
}

/** Buys so much of each symbol; at a limit, each at the same price. */
export const requestOf = (bench: OrderBench, { quantities, entry }: LegsPlan): EntryRequest => ({
  ...bench.request({ validForMs: 600_000, ...(entry && { entry }) }),
  legs: quantities.map((quantity, leg) => ({
    symbol: symbols[leg] ?? '',
    side: 'BUY',
    quantity: decimal(quantity),
    unitDelta: decimal('1'),
    ...(entry?.type === 'LIMIT' && leg > 0 && { price: entry.price }),
  })),
});

const expireAfterMsOf = ({ entry }: EntryRequest): number =>
  (entry.type === 'LIMIT' ? entry.expireAfterMs : undefined) ?? Infinity;

async function bury(db: Db, { nowMs }: OrderBench, order: OrderReported | null | undefined): Promise<void> {
  if (order?.status !== 'parked') return;
  const { clientOrderId } = order;
  await resolveOrder(db, { clientOrderId, verdict: 'dead', actor: 'anna', reason: 'not there', nowMs: nowMs() });
}

async function messagesTo(db: Db, tradeId: string): Promise<readonly OrderReported[]> {
  const rows = await db
    .selectFrom('outbox')
    .select('signal_args')
    .where('workflow_id', '=', entryId(tradeId))
    .where('signal_name', '=', signals.orderReported)
    .orderBy('message_id')
    .execute();
  return rows.map(({ signal_args }) => signal_args?.[0] as OrderReported);
}
