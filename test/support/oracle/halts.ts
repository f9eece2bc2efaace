import type { Evidence } from '../evidence.ts';
import { type Check, idOf, intentOf, isPlacement, judgeEach, livedMs, ordersOfOurs, verdict } from './check.ts';

const gateMsMax = 250;
const sweepAlertMsMax = 5_000;

type Hold = Evidence['holds'][number];
type Order = Evidence['orders'][number];

const endOf = ({ lifted_at_ms, expires_at_ms }: Hold): number =>
  Math.min(Number(lifted_at_ms ?? Infinity), Number(expires_at_ms ?? Infinity));

function isInScope({ scope_kind, scope_id }: Hold, order: Order, trades: Evidence['trades']): boolean {
  const trade = trades.find(({ trade_id }) => trade_id === order.trade_id);
  const of: Readonly<Record<string, boolean>> = {
    all: true,
    account: trade?.account_id === scope_id,
    strategy: trade?.strategy === scope_id,
    symbol: order.symbol === scope_id,
  };
  return of[scope_kind] ?? false;
}

/**
 * After HALT is acknowledged, no new entry is sent later than `T_gate` = 250 ms; none is accepted later than
 * `T_gate + recvWindow`. What the venue has refused as too old was never a new order.
 */
export const I8: Check = (evidence) => {
  const placements = evidence.ledger.requests.filter((request) => isPlacement(request) && request.code !== -1021);
  const accepted = ordersOfOurs(evidence);
  return judgeEach(evidence.holds, (hold) => {
    const setAtMs = Number(hold.set_at_ms);
    const isBlocked = (id: string, atMs: number, graceMs: (order: Order) => number) => {
      const order = intentOf(evidence, id);
      const isEntry = order?.purpose === 'entry' && isInScope(hold, order, evidence.trades);
      return isEntry && atMs > setAtMs + graceMs(order) && atMs < endOf(hold);
    };
    return [
      ...placements
        .filter((request) => isBlocked(idOf(request), request.receivedAtMs, () => gateMsMax))
        .map((request) => `${idOf(request)} was sent ${request.receivedAtMs - setAtMs} ms after ${hold.hold_id}`),
      ...accepted
        .filter(({ clientOrderId, acceptedAtMs }) =>
          isBlocked(clientOrderId, acceptedAtMs, ({ recv_window_ms }) => gateMsMax + Number(recv_window_ms)),
        )
        .map(
          ({ clientOrderId, acceptedAtMs }) =>
            `${clientOrderId} was accepted ${acceptedAtMs - setAtMs} ms after ${hold.hold_id}`,
        ),
    ];
  });
};

/**
 * Cancel-all ends with two consecutive empty `openOrders` reads at least `recvWindow` apart, or with an OPEN alert that
 * lists every order id left, raised within 5 s; what was empty and what is left is compared with the ledger. A hold that
 * was lifted before has withdrawn its sweep.
 */
export const I9: Check = (evidence) =>
  judgeEach(
    evidence.sweeps.filter(({ outcome }) => outcome !== 'withdrawn'),
    ({ hold_id, ended_at_ms }) => {
      const hold = evidence.holds.find((each) => each.hold_id === hold_id);
      if (hold === undefined) return [`${hold_id} has a sweep and is not there`];
      return ended_at_ms === null ? leftFaults(evidence, hold) : clearFaults(evidence, hold, Number(ended_at_ms));
    },
  );

function clearFaults(evidence: Evidence, hold: Hold, endedAtMs: number): readonly string[] {
  const entries = workingEntries(evidence, hold).filter(({ fromMs }) => fromMs < endedAtMs);
  const windowMs = Math.max(0, ...entries.map(({ order }) => Number(order.recv_window_ms)));
  const empty = evidence.ledger.requests
    .filter(({ method, path, answered }) => method === 'GET' && path === '/api/v3/openOrders' && answered)
    .map(({ receivedAtMs }) => receivedAtMs)
    .filter((atMs) => atMs >= Number(hold.set_at_ms) && atMs <= endedAtMs)
    .filter((atMs) => !entries.some(({ fromMs, untilMs }) => fromMs < atMs && atMs < untilMs));
  const isSure = empty.some((first) => empty.some((second) => second - first >= windowMs));
  return isSure ? [] : [`${hold.hold_id} is said to be clear, and nobody has seen it empty twice ${windowMs} ms apart`];
}

function leftFaults(evidence: Evidence, hold: Hold): readonly string[] {
  const left = workingEntries(evidence, hold)
    .filter(({ untilMs }) => untilMs === Infinity)
    .map(({ order }) => order.client_order_id);
  if (left.length === 0) return [];
  const alert = evidence.alerts.find(
    ({ resolved_at_ms, context }) =>
      resolved_at_ms === null && left.every((id) => JSON.stringify(context).includes(id)),
  );
  if (alert === undefined) return [`${left.join(', ')} still work under ${hold.hold_id} and no alert lists them`];
  const lateMs = livedMs(evidence, Number(hold.set_at_ms), Number(alert.raised_at_ms));
  return lateMs > sweepAlertMsMax
    ? [`the alert on ${left.join(', ')} came ${Math.round(lateMs)} ms after ${hold.hold_id}`]
    : [];
}

/** The entries in the hold's scope that stood at the venue after it was set, and from when until when. */
function workingEntries(evidence: Evidence, hold: Hold) {
  const { ledger } = evidence;
  const closedAt = new Map(ledger.closings.map(({ orderId, closedAtMs }) => [orderId, closedAtMs]));
  const lastFillAt = new Map(ledger.fills.map(({ orderId, tradedAtMs }) => [orderId, tradedAtMs]));
  return ordersOfOurs(evidence).flatMap(({ orderId, clientOrderId, status, acceptedAtMs }) => {
    const order = intentOf(evidence, clientOrderId);
    if (order?.purpose !== 'entry' || !isInScope(hold, order, evidence.trades)) return [];
    const untilMs = status === 'FILLED' ? (lastFillAt.get(orderId) ?? Infinity) : (closedAt.get(orderId) ?? Infinity);
    return untilMs >= Number(hold.set_at_ms) ? [{ order, fromMs: acceptedAtMs, untilMs }] : [];
  });
}

/** HALT survives a restart of everything; RESUME needs two distinct people. */
export const I10: Check = (evidence) => {
  const { holds, events, trades } = evidence;
  const applied = events.filter(({ type }) => type === 'HaltApplied');
  const known = new Set(holds.map(({ hold_id }) => hold_id));
  const lost = applied.filter(({ body }) => !known.has(String(body['holdId'])));
  return verdict(
    holds.length,
    lost.map(({ body }) => `${String(body['holdId'])} was applied and is not there any more`),
    holds.flatMap((hold) => [
      ...resumeFaults(hold, evidence),
      ...trades
        .filter((trade) => isAdmittedUnder(hold, trade))
        .map(({ trade_id }) => `${trade_id} was approved while ${hold.hold_id} was in force`),
    ]),
  );
};

function isAdmittedUnder(hold: Hold, trade: Evidence['trades'][number]): boolean {
  const decidedAtMs = Number(trade.decided_at_ms);
  const scopes: Readonly<Record<string, boolean>> = {
    all: true,
    account: trade.account_id === hold.scope_id,
    strategy: trade.strategy === hold.scope_id,
    symbol: trade.request.legs.some(({ symbol }) => symbol === hold.scope_id),
  };
  const isUnder = decidedAtMs > Number(hold.set_at_ms) + gateMsMax && decidedAtMs < endOf(hold);
  return trade.decision === 'approved' && isUnder && (scopes[hold.scope_kind] ?? false);
}

function resumeFaults(hold: Hold, { events, approvals, resumeApprovals }: Evidence): readonly string[] {
  const resumed = events.filter(({ type, body }) => type === 'ResumeApplied' && body['holdId'] === hold.hold_id);
  if (hold.lifted_at_ms === null) return resumed.length === 0 ? [] : [`${hold.hold_id} was resumed and is in force`];
  if (resumed.length !== 1) return [`${hold.hold_id} is lifted and has ${resumed.length} records of it`];
  if (hold.source !== 'operator' || resumeApprovals < 2) return [];
  const approval = approvals.find(({ applied_at_ms }) => applied_at_ms === hold.lifted_at_ms);
  const isByTwo = new Set(approval?.people).size >= 2 && new Set(approval?.keys).size >= 2;
  return isByTwo ? [] : [`${hold.hold_id} was lifted by fewer than two people`];
}

/** What refuses entries alone. */
const entryCodes =
  /^(TRADING_STATE_BLOCKED|ENTRY_(WITHDRAWN|EXCEEDS_RESERVATION)|REQUEST_EXPIRED|\w+_EXCEEDED|CIRCUIT_BREAKER_\w+|RATE_\w+|EVENT_LOOP_\w+)$/;

/**
 * Exits (reduce-only) are never blocked by halts, limits or throttles that apply to entries: no exit order was refused
 * for such a reason, and each exit that was asked for of a position went to the venue.
 */
export const I11: Check = (evidence) => {
  const exits = evidence.orders.filter(({ purpose }) => purpose !== 'entry');
  const held = new Set(evidence.positions.map(({ trade_id }) => trade_id));
  const sent = new Set(evidence.ledger.requests.filter(isPlacement).map(idOf));
  const ofTrade = (tradeId: string) => exits.filter(({ trade_id }) => trade_id === tradeId);
  return verdict(
    evidence.exitRequests.length,
    exits
      .filter(({ status, reason_code }) => status === 'denied' && entryCodes.test(reason_code ?? ''))
      .map(({ client_order_id, reason_code }) => `exit ${client_order_id} was refused with ${reason_code}`),
    evidence.trades
      .filter(({ trade_id, phase }) => phase === 'closed' && held.has(trade_id))
      .filter(
        ({ trade_id }) =>
          ofTrade(trade_id).length > 0 && !ofTrade(trade_id).some((order) => sent.has(order.client_order_id)),
      )
      .map(({ trade_id }) => `${trade_id} is closed and none of its exits went out`),
  );
};
