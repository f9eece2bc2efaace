import Big from 'big.js';
import type { Evidence } from '../evidence.ts';
import { type Check, fillsOfOurs, intentOf, isDust, isOver, judgeEach, livedMs, verdict } from './check.ts';

const monitoredWithinMs = 5_000;
/** While the venue can't be heard, nobody can know of a fill: it is found by the next poll that is answered. */
const monitoredWithinDeafMs = 30_000;

type Holding = { readonly tradeId: string; readonly fromMs: number; readonly toMs: number | null };

/**
 * Every non-flat position on the exchange has exactly one live monitor workflow, or an OPEN alert naming it, within
 * `T_mon` = 5 s, or 30 s where the venue did not answer meanwhile. Time in which no worker lived does not count: nobody
 * is there to start it or to say so.
 */
export const I4: Check = (evidence) => {
  if (evidence.workflows.length === 0) return verdict(0);
  const entered = new Set(evidence.positions.map(({ trade_id }) => trade_id));
  return judgeEach(
    holdingsOf(evidence).filter(({ tradeId }) => entered.has(tradeId)),
    (holding) => monitorFaults(evidence, holding),
  );
};

function monitorFaults(evidence: Evidence, { tradeId, fromMs, toMs }: Holding): readonly string[] {
  const id = `position-${tradeId}`;
  const runs = evidence.workflows
    .filter(({ workflowId }) => workflowId === id)
    .sort((a, b) => a.startedAtMs - b.startedAtMs);
  const live = runs.filter(({ status }) => status === 'RUNNING');
  const alert = evidence.alerts.find(({ context }) => JSON.stringify(context).includes(tradeId));
  const coveredAtMs = Math.min(runs[0]?.startedAtMs ?? Infinity, Number(alert?.raised_at_ms ?? Infinity));
  const nakedMs = coveredAtMs === Infinity ? Infinity : livedMs(evidence, fromMs, coveredAtMs);
  const endedAtMs = Math.max(...runs.map(({ closedAtMs }) => closedAtMs ?? Infinity));
  return [
    ...(live.length > 1 ? [`${id} runs ${live.length} times`] : []),
    ...(nakedMs > (wasDeaf(evidence, fromMs, coveredAtMs) ? monitoredWithinDeafMs : monitoredWithinMs)
      ? [`${tradeId} was held for ${Math.round(nakedMs)} ms with no monitor and no alert`]
      : []),
    ...(runs.length > 0 && (toMs ?? Infinity) > endedAtMs + monitoredWithinMs && alert === undefined
      ? [`${id} ended at ${endedAtMs}, the position is held until ${toMs ?? 'now'}`]
      : []),
  ];
}

/** Whether the venue failed at some request of that time: by its own status, or by no answer. */
const wasDeaf = ({ ledger }: Evidence, fromMs: number, toMs: number): boolean =>
  ledger.requests.some(
    ({ receivedAtMs, httpStatus, answered }) =>
      receivedAtMs >= fromMs && receivedAtMs <= toMs && (!answered || (httpStatus ?? 0) >= 500),
  );

/** From each trade's first entry fill to the fill that left nothing of it that could be sold. */
function holdingsOf(evidence: Evidence): readonly Holding[] {
  const fills = [...fillsOfOurs(evidence)].sort((a, b) => a.tradedAtMs - b.tradedAtMs);
  const held = new Map<string, { fromMs: number; toMs: number | null; quantity: Big }>();
  for (const fill of fills) {
    const intent = intentOf(evidence, fill.clientOrderId);
    if (intent === undefined) continue;
    const key = `${intent.trade_id} ${intent.leg}`;
    const holding = held.get(key) ?? { fromMs: fill.tradedAtMs, toMs: null, quantity: new Big(0) };
    const fee = fill.feeAsset === intent.symbol.split('/')[0] ? fill.fee : '0';
    const change = fill.side === 'BUY' ? new Big(fill.quantity).minus(fee) : new Big(fill.quantity).neg();
    holding.quantity = holding.quantity.plus(change);
    holding.toMs = isDust(holding.quantity, fill.price) ? fill.tradedAtMs : null;
    held.set(key, holding);
  }
  return [...held].map(([key, { fromMs, toMs }]) => ({ tradeId: key.split(' ')[0] ?? '', fromMs, toMs }));
}

/**
 * Liveness: after faults stop, every trade reaches a terminal state within `T_live` = 120 s. Asked when the faults have
 * stopped and the time was given: a trade that is not over is parked, open and guarded, or at work; what belongs to one
 * that is over has ended by itself; nothing has failed, and no message was forgotten.
 */
export const I20: Check = ({ trades, orders, guards, workflows, undelivered }) => {
  const over = trades.filter(isOver).map(({ trade_id }) => trade_id);
  const lifecyclesOf = (id: string) => ['entry', 'position', 'stop', 'protect', 'exit'].map((kind) => `${kind}-${id}`);
  const ofOver = new Set(over.flatMap(lifecyclesOf));
  const isWaiting = (id: string) =>
    orders.some((order) => order.trade_id === id && order.status === 'parked') ||
    orders.some((order) => order.trade_id === id && /^(new|partiallyFilled)$/.test(order.status)) ||
    guards.some((guard) => guard.trade_id === id && guard.triggered_at_ms === null) ||
    workflows.some(({ workflowId, status }) => workflowId === `position-${id}` && status === 'RUNNING');
  return verdict(
    trades.length,
    trades
      .filter((trade) => !isOver(trade) && !isWaiting(trade.trade_id))
      .map(({ trade_id, phase }) => `${trade_id} is ${phase} and waits for nothing`),
    workflows
      .filter(({ workflowId, status }) => ofOver.has(workflowId) && !/^(COMPLETED|CONTINUED_AS_NEW)$/.test(status))
      .map(({ workflowId, status }) => `${workflowId} is ${status} although its trade is over`),
    workflows
      .filter(({ status }) => !/^(COMPLETED|RUNNING|CONTINUED_AS_NEW)$/.test(status))
      .map(({ workflowId, status }) => `${workflowId} is ${status}`),
    undelivered === 0 ? [] : [`${undelivered} messages are not delivered`],
  );
};
