import type { EntryDecision } from '../../../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../../../src/contracts/messages/entry-request.ts';
import {
  type ExitReason,
  isNewer,
  type OrderRef,
  type OrderReported,
  type PositionClosed,
  type ProtectionInstruction,
} from '../../../src/contracts/messages/messages.ts';
import { isClosed } from '../../../src/domain/order.ts';
import { ActivityFailed, type Runner } from './run-activity.ts';

/** What the lifecycles run on. `heard` brings the messages that the book has for an entry and that it has not heard. */
export type Stagehands = {
  readonly runner: Runner;
  readonly now: () => number;
  /** Lets time pass until something happens, so long at most. */
  readonly wait: (ms: number) => Promise<void>;
  readonly heard: (tradeId: string) => Promise<readonly OrderReported[]>;
};

export type EntryEnd = { readonly decision: EntryDecision; readonly order: OrderReported | null };

const placeWithinMs = 60_000;
const cancelWithinMs = 4_000;
const failurePauseMs = 5_000;
const askAgainMs = 60_000;
/** No story goes on for longer: what does not end is a fault. */
const patienceMs = 60 * 60_000;

/** What workflows/entry.ts does with its activities, without the engine. A parked order ends it here. */
export async function playEntry(stage: Stagehands, request: EntryRequest): Promise<EntryEnd> {
  const { runner, now, wait } = stage;
  const { decision, outcome } = await runner.run('checkLimits', [request, 'run-1']);
  if (outcome !== 'approved') return { decision, order: null };
  const ref = { tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
  const expireAfterMs = request.entry.type === 'LIMIT' ? (request.entry.expireAfterMs ?? Infinity) : Infinity;
  const dueAtMs = now() + expireAfterMs;
  const endAtMs = now() + patienceMs;
  let known: OrderReported | null = null;
  let isDoubted = false;
  const hear = (report: OrderReported): void => {
    if (known === null || isNewer(report, known)) known = report;
  };
  const ask = async (asked: Promise<OrderReported>): Promise<boolean> => {
    try {
      hear(await asked);
      return true;
    } catch (error) {
      if (!(error instanceof ActivityFailed)) throw error;
      return false;
    }
  };

  isDoubted = !(await ask(runner.run('placeOrder', [ref], { scheduleToCloseMs: placeWithinMs })));
  for (;;) {
    for (const report of await stage.heard(request.tradeId)) hear(report);
    const order = known as OrderReported | null;
    if (order !== null && isClosed(order.status) && order.fillsComplete && !order.inDoubt) return { decision, order };
    if (order?.status === 'parked') return { decision, order };
    if (now() > endAtMs) throw new Error(`the entry of ${request.tradeId} does not end: ${JSON.stringify(order)}`);
    if (isDoubted || order?.inDoubt) {
      isDoubted = !(await ask(runner.run('findOrder', [ref])));
      if (isDoubted) await wait(askAgainMs);
    } else if (now() >= dueAtMs) {
      isDoubted = !(await ask(runner.run('cancelOrder', [ref])));
    } else {
      await wait(Math.max(1, Math.min(1_000, dueAtMs - now())));
    }
  }
}

/** What workflows/exit.ts does with its activities, until the venue is flat or the patience is over. */
export async function playExit(
  { runner, now, wait }: Stagehands,
  tradeId: string,
  reason: ExitReason,
): Promise<PositionClosed | null> {
  await runner.run('requestExit', [{ tradeId, reason, source: 'bench' }]);
  const canceled = new Map<string, number>();
  const endAtMs = now() + patienceMs;
  while (now() < endAtMs) {
    try {
      const next = await runner.run('planExit', [{ tradeId, canceled: [...canceled] }]);
      if (next.step === 'settle') {
        const closed = await runner.run('settleTrade', [tradeId]);
        if (closed !== null) return closed;
      } else if (next.step === 'await') {
        await wait(Math.max(1, next.untilMs - now()));
      } else if (next.step === 'place') {
        await runner.run('placeOrder', [{ ...next.order, terms: next.terms }]);
      } else if (next.step === 'cancel') {
        await cancelIfPossible(runner, next.order);
        canceled.set(next.order.clientOrderId, now());
      } else {
        const activity = { find: 'findOrder', collectFills: 'collectFills' } as const;
        await runner.run(activity[next.step], [next.order]);
      }
    } catch (error) {
      if (!(error instanceof ActivityFailed)) throw error;
      await wait(failurePauseMs);
    }
  }
  return null;
}

async function cancelIfPossible(runner: Runner, order: OrderRef): Promise<void> {
  try {
    await runner.run('cancelOrder', [order], { scheduleToCloseMs: cancelWithinMs });
  } catch (error) {
    if (!(error instanceof ActivityFailed)) throw error;
  }
}

/** Who looks again after so long has nothing to do now. */
const restMs = 60_000;

/** What workflows/protective-stop.ts does with its activities, until it only waits to be told. */
export async function playProtection(
  { runner, now, wait }: Stagehands,
  tradeId: string,
): Promise<ProtectionInstruction> {
  const endAtMs = now() + patienceMs;
  for (;;) {
    if (now() > endAtMs) throw new Error(`the stop of ${tradeId} does not come to rest`);
    try {
      const next = await runner.run('planProtection', [tradeId]);
      switch (next.step) {
        case 'done':
          return next;
        case 'wait':
          if (next.untilMs === null || next.untilMs - now() >= restMs) return next;
          await wait(Math.max(1, next.untilMs - now()));
          break;
        case 'exit':
          await runner.run('requestExit', [{ tradeId, reason: 'protectiveStop', source: 'protectiveStop' }]);
          break;
        case 'place':
          await runner.run('placeOrder', [{ ...next.order, terms: next.terms }]);
          break;
        case 'replace':
          await runner.run('replaceOrder', [{ cancel: next.cancel, order: { ...next.order, terms: next.terms } }]);
          break;
        default: {
          const activity = { cancel: 'cancelOrder', find: 'findOrder', collectFills: 'collectFills' } as const;
          await runner.run(activity[next.step], [next.order]);
        }
      }
    } catch (error) {
      if (!(error instanceof ActivityFailed)) throw error;
      await wait(failurePauseMs);
    }
  }
}
