import type { AuditEvent, Evidence } from '../evidence.ts';
import { type Check, repeated, total, verdict } from './check.ts';

/**
 * Every state change <-> exactly one audit record: `event_id` unique, no transition of a state machine missing. Each
 * row that a change leaves in the book is joined with the one record that belongs to it, and each record of an order
 * begins in the state in which the one before has left it.
 */
export const I5: Check = (evidence) =>
  verdict(
    evidence.events.length,
    repeated(evidence.chain.records.map(({ eventId }) => eventId)).map((id) => `event ${id} is there twice`),
    evidence.trades.flatMap(({ trade_id, phase }) => [
      ...one(evidence, trade_id, 'TradeDecided'),
      ...(phase === 'closed' ? one(evidence, trade_id, 'PositionClosed') : []),
    ]),
    evidence.orders.flatMap((order) => orderFaults(order, evidence.events)),
    evidence.fills.flatMap((fill) => fillFaults(fill, evidence.events)),
    evidence.positions.flatMap(({ trade_id, leg }) =>
      exactly(
        evidence.events,
        1,
        `position ${trade_id} ${leg}`,
        ['PositionOpened'],
        ({ tradeId, body }) => tradeId === trade_id && String(body['leg'] ?? 0) === leg,
      ),
    ),
    evidence.reservations.flatMap((reservation) => voidFaults(reservation, evidence.events)),
    evidence.exitRequests.flatMap(({ trade_id }) => one(evidence, trade_id, 'ExitRequested', 'StopTriggered')),
    evidence.guards.flatMap((guard) => guardFaults(guard, evidence.events)),
    evidence.alerts.flatMap((alert) => alertFaults(alert, evidence.events)),
  );

function exactly(
  events: readonly AuditEvent[],
  count: number,
  what: string,
  types: readonly string[],
  is: (event: AuditEvent) => boolean,
): readonly string[] {
  const found = events.filter((event) => types.includes(event.type) && is(event)).length;
  return found === count ? [] : [`${what} has ${found} records ${types.join('/')}, not ${count}`];
}

const one = ({ events }: Evidence, tradeId: string, ...types: readonly string[]) =>
  exactly(events, 1, tradeId, types, (event) => event.tradeId === tradeId);

// By its order, because trades of two symbols may share a number.
const fillFaults = ({ venue_trade_id, client_order_id }: Evidence['fills'][number], events: readonly AuditEvent[]) =>
  exactly(
    events,
    1,
    `fill ${venue_trade_id}`,
    ['Fill'],
    ({ body }) => body['venueTradeId'] === venue_trade_id && body['clientOrderId'] === client_order_id,
  );

function guardFaults(
  { trade_id, kind, leg, triggered_at_ms }: Evidence['guards'][number],
  events: readonly AuditEvent[],
): readonly string[] {
  const isThis = (event: AuditEvent) =>
    event.tradeId === trade_id && event.body['kind'] === kind && String(event.body['leg'] ?? 0) === leg;
  const what = `${trade_id} ${kind}`;
  return [
    ...exactly(events, 1, what, ['StopArmed'], isThis),
    ...exactly(events, triggered_at_ms === null ? 0 : 1, what, ['StopTriggered'], isThis),
  ];
}

function alertFaults(
  { alert_id, resolved_at_ms }: Evidence['alerts'][number],
  events: readonly AuditEvent[],
): readonly string[] {
  const isThis = ({ body }: AuditEvent) => String(body['alertId']) === alert_id;
  return [
    ...exactly(events, 1, `alert ${alert_id}`, ['AlertRaised'], isThis),
    ...exactly(events, resolved_at_ms === null ? 0 : 1, `alert ${alert_id}`, ['AlertResolved'], isThis),
  ];
}

function voidFaults(
  { trade_id, leg, voided_quantity }: Evidence['reservations'][number],
  events: readonly AuditEvent[],
): readonly string[] {
  const recorded = total(
    events
      .filter(
        ({ type, tradeId, body }) =>
          type === 'ReservationVoided' && tradeId === trade_id && String(body['leg']) === leg,
      )
      .map(({ body }) => String(body['quantity'])),
  );
  if (recorded.eq(voided_quantity)) return [];
  return [`${trade_id} leg ${leg} gave back ${voided_quantity}, its records say ${recorded.toFixed()}`];
}

/** What only takes risk away has words of its own, whoever holds it. */
const words: Readonly<Record<string, string>> = { entry: 'Order', exit: 'Exit', stop: 'Exit' };

function orderFaults(
  { client_order_id: id, purpose, status, in_doubt, send_epoch }: Evidence['orders'][number],
  events: readonly AuditEvent[],
): readonly string[] {
  const isThis = ({ body }: AuditEvent) => body['clientOrderId'] === id;
  const changes = events.filter((event) => isThis(event) && event.body['status'] !== undefined).map(({ body }) => body);
  const last = changes.at(-1);
  const isAsRecorded =
    last === undefined ? status === 'pendingNew' : last['status'] === status && last['inDoubt'] === in_doubt;
  const gaps = changes.filter((change, i) => {
    const before = i === 0 ? 'pendingNew' : changes[i - 1]?.['status'];
    return change['from'] !== undefined && change['from'] !== before;
  });
  const word = words[purpose] ?? 'Order';
  return [
    ...exactly(events, 1, `order ${id}`, [`${word}Intent`], isThis),
    ...exactly(events, Number(send_epoch) - 1, `order ${id}`, [`${word}IntentRenewed`], isThis),
    ...(isAsRecorded ? [] : [`order ${id} is ${status}, its last record says ${String(last?.['status'])}`]),
    ...gaps.map(
      (change) =>
        `order ${id} became ${String(change['status'])} from ${String(change['from'])}, where no record left it`,
    ),
  ];
}
