import type { OrderRef } from '../../src/contracts/messages/messages.ts';
import type {
  CorrectionView,
  ReconciliationInput,
  ReconciliationReport,
  ReconciliationStep,
} from '../../src/contracts/messages/reconciliation.ts';
import { type Decimal, decimal } from '../../src/domain/decimal.ts';
import type { Difference } from '../../src/domain/reconciliation/difference.ts';
import type { Db } from '../../src/store/database.ts';
import { saveBalances } from '../../src/store/trading-state/accounts.ts';
import type { OrderBench, TradePlan } from '../support/order-bench/bench.ts';
import type { Strike } from '../support/order-bench/stage.ts';

export const d = decimal;

export type RunPlan = Partial<ReconciliationInput> & {
  readonly strikes?: readonly Strike[];
  /** Between the first look and the second. */
  readonly meanwhile?: () => unknown;
};

/** A run, as its workflow does it: a look, and where something is new another one three seconds later. */
export async function reconcile(bench: OrderBench, plan: RunPlan = {}): Promise<ReconciliationReport> {
  const { strikes = [], meanwhile, ...changed } = plan;
  const runner = bench.runner(strikes);
  const input = { venue: 'paper', account: bench.account, isFullDay: false, askedBy: null, ...changed };
  let suspects: readonly Difference[] | null = null;
  for (;;) {
    const step: ReconciliationStep = await runner.run('reconcileAccount', [{ ...input, suspects }]);
    if (step.step === 'done') return step.report;
    suspects = step.suspects;
    await meanwhile?.();
    await bench.pass(3_000);
  }
}

/** Sends an entry, and does nothing more: what becomes of it is to be found out. */
export async function placeOnly(bench: OrderBench, plan: TradePlan): Promise<OrderRef> {
  const runner = bench.runner();
  const request = bench.request(plan);
  const { outcome, decision } = await runner.run('checkLimits', [request, 'run-1']);
  if (outcome !== 'approved') throw new Error(JSON.stringify(decision.reasons));
  const ref = { tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
  await runner.run('placeOrder', [ref]);
  return ref;
}

/** A person's decision on the one correction that waits for one. */
export function decide(
  bench: OrderBench,
  report: ReconciliationReport,
  verdict: 'approved' | 'rejected' | 'expired',
  kind?: Difference['kind'],
): Promise<CorrectionView> {
  const found = report.differences.find(({ difference }) => kind === undefined || difference.kind === kind);
  const correctionId = found?.correctionId ?? 'none';
  const who = verdict === 'expired' ? { actor: null, reason: null } : { actor: 'ana', reason: 'it was me' };
  return bench.runner().run('settleCorrection', [{ correctionId, verdict, ...who }]);
}

/** A bench whose balances of the beginning are known. */
export async function begun(db: Db, bench: OrderBench): Promise<OrderBench> {
  const { account } = bench;
  await saveBalances(db, { account, balances: [], equity: d('1000000'), fault: null, nowMs: bench.nowMs() });
  await reconcile(bench);
  await bench.pass(20_000);
  return bench;
}

export type ByHand = {
  readonly side: 'BUY' | 'SELL';
  readonly quantity: string;
  readonly price?: string;
  readonly clientOrderId?: string;
};

/** What a person does with the venue's own page: an order at market, or at a price. */
export function orderByHand({ simulator }: OrderBench, { side, quantity, price, clientOrderId }: ByHand): number {
  const placement = simulator.exchange.place({
    symbol: 'BTCUSDT',
    side,
    type: price === undefined ? 'MARKET' : 'LIMIT',
    timeInForce: 'GTC',
    quantity: d(quantity),
    limitPrice: price === undefined ? null : d(price),
    stopPrice: null,
    clientOrderId: clientOrderId ?? 'by-hand',
    origin: 'external',
    requestId: null,
    receivedAtMs: simulator.clock.nowMs(),
  } as unknown as Parameters<typeof simulator.exchange.place>[0]);
  if (placement.outcome === 'refused') throw new Error(placement.refusal.message);
  return placement.order.orderId;
}

export const moveByHand = ({ simulator }: OrderBench, asset: string, change: string): void =>
  simulator.exchange.changeBalance(asset, d(change), 'external');

/** Everything that was recorded of an account's comparison, in its order. */
export async function recorded(db: Db, { account }: OrderBench): Promise<readonly string[]> {
  const rows = await db.selectFrom('audit_event').select(['event_type', 'body']).orderBy('insert_no').execute();
  const told =
    /^(BaselineTaken|ReconcileRun|Difference|Correction|PositionWrittenOff|ExternalOrderSeen|Alert|Halt|Resume|FillCorrection)/;
  return rows
    .filter(({ event_type, body }) => told.test(event_type) && body.includes(account))
    .map((row) => row.event_type);
}

export const eventsIn = async (db: Db): Promise<number> => {
  const { count } = await db
    .selectFrom('audit_event')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
};

export const alertsOf = async (db: Db, { account }: OrderBench): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('alert')
    .select(['code', 'condition_key'])
    .where('resolved_at_ms', 'is', null)
    .orderBy('alert_id')
    .execute();
  return rows.filter(({ condition_key }) => condition_key.includes(`${account}:`)).map(({ code }) => code);
};

export const heldBy = async (db: Db, { account }: OrderBench) =>
  db
    .selectFrom('hold')
    .selectAll()
    .where('scope_id', '=', account)
    .where('source', '=', 'reconciliation')
    .where('lifted_at_ms', 'is', null)
    .execute();

export const driftOf = (report: ReconciliationReport, asset: string): Decimal | undefined =>
  report.differences
    .map(({ difference }) => difference)
    .flatMap((difference) =>
      difference.kind === 'balance' && difference.asset === asset ? [difference.drift] : [],
    )[0];

export const kindsOf = ({ differences }: ReconciliationReport): readonly string[] =>
  differences.map(({ difference }) => difference.kind).sort();
