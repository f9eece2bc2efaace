import Big from 'big.js';
import type { Evidence } from '../evidence.ts';
import {
  type Check,
  fillsOfOurs,
  idOf,
  intentOf,
  isPlacement,
  judgeEach,
  livedMs,
  ordersOfOurs,
  repeated,
  roundingMs,
  total,
  verdict,
} from './check.ts';

const unknownMsMax = 60_000;

/**
 * At most one entry order is ever accepted by the exchange per trade and leg, and one per (trade, leg, purpose,
 * generation): `count(sim.orders where cid.trade = t and cid.leg = l and cid.purpose = 'entry') <= 1`. A generation that
 * was presumed dead and appeared later counts as found where an alert `ORPHAN_ORDER` names it.
 */
export const I1: Check = (evidence) => {
  const orphans = evidence.alerts.filter(({ code }) => code === 'ORPHAN_ORDER').map(({ context }) => context);
  const isOrphan = (id: string) => orphans.some((context) => JSON.stringify(context).includes(id));
  const accepted = ordersOfOurs(evidence).flatMap(({ clientOrderId }) => {
    const intent = intentOf(evidence, clientOrderId);
    return intent === undefined ? [] : [intent];
  });
  const entries = accepted
    .filter(({ purpose, client_order_id }) => purpose === 'entry' && !isOrphan(client_order_id))
    .map(({ trade_id, leg }) => `${trade_id} leg ${leg}`);
  const generations = accepted.map((intent) => [intent.trade_id, intent.leg, intent.purpose, intent.generation]);
  const acceptedSends = evidence.ledger.requests.filter((request) => isPlacement(request) && request.accepted);
  return verdict(
    entries.length,
    repeated(entries).map((entry) => `more than one entry order of ${entry} stands in the ledger`),
    repeated(generations.map(String)).map((generation) => `more than one order of ${generation} was accepted`),
    repeated(ordersOfOurs(evidence).map(({ clientOrderId }) => clientOrderId)).map(
      (id) => `the venue took ${id} twice`,
    ),
    repeated(acceptedSends.map(idOf)).map((id) => `${id} was sent again after it was taken`),
  );
};

/** Σ accepted quantity of children <= quantity of the parent, per trade, per side: what still works counts in full. */
export const I2: Check = (evidence) =>
  judgeEach(legsOf(evidence), (leg) =>
    momentsOf(evidence, leg).flatMap(({ side, taken, parent, clientOrderId }) =>
      taken.gt(parent)
        ? [
            `${leg.trade_id} leg ${leg.leg}: with ${clientOrderId}, ${side} orders of ${taken.toFixed()} stand for ${parent.toFixed()}`,
          ]
        : [],
    ),
  );

type Leg = Evidence['reservations'][number];

const legsOf = ({ reservations }: Evidence): readonly Leg[] => reservations;

/** Each time the venue accepts one of the leg's orders: what that side's orders come to then, and what they may. */
function momentsOf(evidence: Evidence, leg: Leg) {
  const fills = fillsOfOurs(evidence);
  const ours = ordersOfOurs(evidence).filter(({ clientOrderId }) => {
    const intent = intentOf(evidence, clientOrderId);
    return intent?.trade_id === leg.trade_id && intent.leg === leg.leg;
  });
  const filled = (orderId: number, untilMs: number) =>
    total(
      fills.filter((fill) => fill.orderId === orderId && fill.tradedAtMs <= untilMs).map(({ quantity }) => quantity),
    );
  const closedAt = new Map(evidence.ledger.closings.map(({ orderId, closedAtMs }) => [orderId, closedAtMs]));
  const takenBy = (order: (typeof ours)[number], atMs: number) =>
    (closedAt.get(order.orderId) ?? Infinity) <= atMs ? filled(order.orderId, atMs) : new Big(order.quantity);
  const [base = ''] = leg.symbol.split('/');
  return ours.map(({ side, acceptedAtMs, clientOrderId }) => {
    const siblings = ours.filter((order) => order.side === side && order.acceptedAtMs <= acceptedAtMs);
    const bought = ours.filter((order) => order.side === leg.side);
    const fees = fills.filter(
      ({ orderId, feeAsset }) => feeAsset === base && bought.some((order) => order.orderId === orderId),
    );
    const held = total(bought.map(({ orderId }) => filled(orderId, acceptedAtMs))).minus(
      total(fees.filter(({ tradedAtMs }) => tradedAtMs <= acceptedAtMs).map(({ fee }) => fee)),
    );
    return {
      side,
      clientOrderId,
      taken: total(siblings.map((order) => takenBy(order, acceptedAtMs))),
      parent: side === leg.side ? new Big(leg.quantity) : held,
    };
  });
}

/**
 * An intent record is durable before the first byte of its order leaves: simulator `receivedAt` >= audit commit time;
 * no simulator order without an intent. Each send has a timestamp of its own, committed before it.
 */
export const I7: Check = (evidence) => {
  const intents = new Map(
    evidence.events
      .filter(({ type }) => /^\w+Intent$/.test(type))
      .map(({ body, recordedAtMs }) => [body['clientOrderId'], recordedAtMs]),
  );
  const placements = evidence.ledger.requests.filter(isPlacement);
  const received = [
    ...ordersOfOurs(evidence).map(({ clientOrderId, receivedAtMs }) => ({ id: clientOrderId, receivedAtMs })),
    ...placements.map((request) => ({ id: idOf(request), receivedAtMs: request.receivedAtMs })),
  ];
  const sends = placements.map((request) => `${idOf(request)} at ${request.parameters['timestamp']}`);
  const intended = new Set(evidence.sends.map((send) => `${send.client_order_id} at ${send.signed_at_ms}`));
  return verdict(
    received.length,
    received.flatMap(({ id, receivedAtMs }) => {
      const intentAtMs = intents.get(id);
      if (intentAtMs === undefined || intentOf(evidence, id) === undefined) return [`order ${id} has no intent`];
      return intentAtMs > receivedAtMs + roundingMs
        ? [`order ${id} reached the venue at ${receivedAtMs}, its intent is of ${intentAtMs}`]
        : [];
    }),
    sends.filter((send) => !intended.has(send)).map((send) => `${send} was sent under a timestamp nobody committed`),
    repeated(sends).map((send) => `${send} was sent twice`),
  );
};

/** Every UNKNOWN order becomes terminal, or PARKED + alert, within `T_unk` = 60 s; never silently REJECTED. */
export const I12: Check = (evidence) => {
  const unknown = new Map(
    evidence.events
      // Of an order that the venue's stream has told of before, an answer that was lost is evidence and no doubt.
      .filter(({ type, body }) => /^(Order|Exit|Stop)Unknown$/.test(type) && body['inDoubt'] !== false)
      .map((event) => [String(event.body['clientOrderId']), event]),
  );
  const inDoubt = evidence.orders.filter((order) => order.in_doubt || unknown.has(order.client_order_id));
  const atVenue = new Set(ordersOfOurs(evidence).map(({ clientOrderId }) => clientOrderId));
  return verdict(
    inDoubt.length,
    inDoubt.flatMap((order) => resolutionFaults(evidence, order, unknown.get(order.client_order_id))),
    evidence.orders
      .filter(({ status, client_order_id }) => /^(rejected|denied)$/.test(status) && atVenue.has(client_order_id))
      .map(({ client_order_id, status }) => `${client_order_id} is ${status} in the book and stands at the venue`),
  );
};

function resolutionFaults(
  { events, alerts, ...rest }: Evidence,
  order: Evidence['orders'][number],
  unknown: Evidence['events'][number] | undefined,
): readonly string[] {
  const { client_order_id: id, status } = order;
  const unknownAtMs = unknown?.recordedAtMs;
  const isAlerted = alerts.some(({ condition_key }) => condition_key.includes(id));
  if (status === 'parked') return isAlerted ? [] : [`${id} is parked and no alert names it`];
  const mayStillEnd = unknownAtMs !== undefined && rest.gatheredAtMs - unknownAtMs <= unknownMsMax;
  if (order.in_doubt || /^(pendingNew|new|partiallyFilled)$/.test(status)) {
    return mayStillEnd ? [] : [`${id} is unknown for ever`];
  }
  if (unknown === undefined || unknownAtMs === undefined) return [];
  // Records are in the order in which they were written: where time stands still, one of the same time may be the answer.
  const known = events
    .slice(events.indexOf(unknown) + 1)
    .find(({ body, type }) => body['clientOrderId'] === id && !/(Unknown|Throttled|NotSent)$/.test(type));
  if (known === undefined) return [];
  const lastedMs = livedMs({ events, alerts, ...rest }, unknownAtMs, known.recordedAtMs);
  return lastedMs > unknownMsMax ? [`${id} was unknown for ${Math.round(lastedMs)} ms`] : [];
}
