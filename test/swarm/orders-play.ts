import type { ExitTerms } from '../../src/contracts/messages/entry-request.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { Db } from '../../src/store/database.ts';
import { resolveOrder } from '../../src/store/orders/orders.ts';
import { createOrderBench, type OrderBench } from '../support/order-bench/bench.ts';
import type { BenchEvidence } from '../support/order-bench/evidence.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { type OrdersPlan, rulesOf, type SwarmStep, type SwarmTrade } from './orders-plan.ts';
import type { Played } from './played.ts';

/** `T_live`: once the faults are off, a trade that is told to end is over within so much of the venue's time. */
const liveMs = 120_000;
/** `T_unk`, and the longest pause between two looks. */
const toldWithinMs = 60_000 + 8_000;

/**
 * Plays a seed: its trades under its faults, judged after the last; then without faults, until every trade is over, and
 * judged again. Each call needs an account of its own.
 */
export async function playOrders(db: Db, account: string, plan: OrdersPlan): Promise<Played> {
  const bench = await createOrderBench({
    db,
    account,
    seed: plan.seed,
    unresolved: plan.unresolved,
    simulator: { deposits: plan.isShort ? { USDT: '150', BTC: '10' } : { USDT: '1000000' } },
  });
  try {
    bench.skew(plan.skewMs);
    const armed = new Set<string>();
    for (const trade of plan.trades) {
      bench.simulator.plan(...plan.rates);
      await underFaults(bench, plan, trade, armed);
      bench.simulator.clearPlan();
    }
    const faults = judgeBench(await bench.evidence(), ...judgedMidway(plan)).map((fault) => `midway: ${fault}`);
    if (faults.length === 0) faults.push(...(await untilOver(bench, db, plan)));
    return { faults, ...submissionsOf(bench, armed) };
  } catch (error) {
    return { faults: [`broken off: ${String(error)}`], ...submissionsOf(bench, new Set()) };
  } finally {
    await bench.close();
  }
}

/** What must hold at any time, even while the stream is behind. */
function judgedMidway(
  plan: OrdersPlan,
): Parameters<typeof judgeBench> extends [unknown, ...infer Names] ? Names : never {
  return [...unjudged(plan), 'orders agree', 'I5', 'I12', 'I13'];
}

/** Records state our own time, so where that is wrong they seem late. */
const unjudged = ({ skewMs }: OrdersPlan): 'I7'[] => (skewMs === 0 ? [] : ['I7']);

async function underFaults(bench: OrderBench, plan: OrdersPlan, trade: SwarmTrade, armed: Set<string>): Promise<void> {
  const isArmed = plan.rates.length + trade.faults.length + trade.exitFaults.length + trade.strikes.length > 0;
  await doStep(bench, rulesOf({ status: 'TRADING', levelQuantity: '50', levelsMax: 100 }));
  const before = bench.simulator.requests().at(-1)?.requestId ?? 0;
  await bench.trade({
    ...trade,
    ...(trade.protects === true && { exit: heldAtVenue }),
    market: trade.steps.map((step) => () => doStep(bench, step)),
    onEntered: () => trade.depth && doStep(bench, rulesOf({ levelQuantity: trade.depth, levelsMax: 1 })),
  });
  if (isArmed) for (const id of placedAfter(bench, before)) armed.add(id);
  await bench.pass(trade.pauseMs);
}

const heldAtVenue: ExitTerms = {
  stopLoss: { price: decimal('98.5') },
  protectiveStop: { at: 'venue', limitOffsetBps: 50, moveStepBps: 20, moveIntervalMs: 60_000 },
};

async function doStep(bench: OrderBench, step: SwarmStep): Promise<void> {
  if (step.does === 'tick')
    return bench.simulator.tick({ price: step.price, ...(step.quantity && { quantity: step.quantity }) });
  // What somebody does by hand may be refused, as where the account has too little.
  await bench.control(step.command, step.body).catch(() => undefined);
}

/** Nothing fails any more: everything that is open is closed, and what is parked is decided as a person would. */
async function untilOver(bench: OrderBench, db: Db, plan: OrdersPlan): Promise<readonly string[]> {
  const faults: string[] = [];
  await doStep(bench, rulesOf({ status: 'TRADING', levelQuantity: '50', levelsMax: 100 }));
  await bench.settle();
  await resolveParked(bench, db);
  for (const { trade_id: tradeId, phase } of (await bench.evidence()).trades) {
    if (!/^(placing|working|open|closing)$/.test(phase)) continue;
    const startedAtMs = bench.nowMs();
    const closed = await bench.exit(tradeId);
    const tookMs = bench.nowMs() - startedAtMs;
    if (closed === null) faults.push(`${tradeId} never closes`);
    if (tookMs > liveMs) faults.push(`${tradeId} takes ${tookMs} ms to close`);
  }
  await bench.settle();
  const evidence = await bench.evidence();
  const unfinished = evidence.trades.filter(({ phase }) => !/^(closed|unfilled|denied|compensated)$/.test(phase));
  return [
    ...faults,
    ...unfinished.map(({ trade_id, phase }) => `${trade_id} is ${phase} in the end`),
    ...judgeBench(evidence, ...unjudged(plan))
      .filter((fault) => !isToldUnknown(evidence, fault))
      .map((fault) => `in the end: ${fault}`),
  ];
}

/** Where the venue can't be asked an order stays unknown for longer than it may, and people are told in time. */
function isToldUnknown({ alerts, events }: BenchEvidence, fault: string): boolean {
  const id = /^I12: (\S+) was unknown for/.exec(fault)?.[1];
  const unknown = events.find(({ type, body }) => type.endsWith('Unknown') && body['clientOrderId'] === id);
  return alerts.some(
    ({ code, context, raised_at_ms }) =>
      code === 'ORDER_UNRESOLVED' &&
      context['clientOrderId'] === id &&
      Number(raised_at_ms) <= (unknown?.recordedAtMs ?? 0) + toldWithinMs,
  );
}

/** A person looks into the venue's account: what is not there is dead, and the watch has adopted what is. */
async function resolveParked(bench: OrderBench, db: Db): Promise<void> {
  const { orders, ledger } = await bench.evidence();
  const atVenue = new Set(ledger.orders.map(({ clientOrderId }) => clientOrderId));
  for (const { client_order_id: clientOrderId, status } of orders) {
    if (status !== 'parked') continue;
    const verdict = atVenue.has(clientOrderId) ? 'look-again' : 'dead';
    await resolveOrder(db, { clientOrderId, verdict, actor: 'swarm', reason: 'the ledger', nowMs: bench.nowMs() });
  }
}

const isPlacement = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method === 'POST' && path === '/api/v3/order';

const placementId = (parameters: Readonly<Record<string, string>>): string =>
  `${parameters['newClientOrderId']} at ${parameters['timestamp']}`;

const placedAfter = (bench: OrderBench, requestId: number): readonly string[] =>
  bench.simulator
    .requests()
    .filter((request) => isPlacement(request) && request.requestId > requestId)
    .map(({ parameters }) => placementId(parameters));

/** Counted in the venue's own log: each order that was sent to it, and those that a fault struck on the way. */
function submissionsOf(bench: OrderBench, armed: ReadonlySet<string>) {
  const placements = bench.simulator.requests().filter(isPlacement);
  return {
    submissions: placements.length,
    armed: placements.filter(({ parameters }) => armed.has(placementId(parameters))).length,
    struck: placements.filter(({ faults }) => faults.length > 0).length,
  };
}
