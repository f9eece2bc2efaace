import Big from 'big.js';
import type { AuditEvent, Evidence } from './evidence.ts';
import type { LedgerRequest } from './paper-control.ts';

/** A promise of the product, as a question about what is left of what happened: every sentence is one time it was broken. */
type Check = (evidence: Evidence) => readonly string[];

/** One unit of the smallest quantity that the venue of the tests sells. */
const stepSize = '0.001';
/** Times of the venue are whole milliseconds, so one that is the same may look earlier. */
const roundingMs = 1;

const total = (values: readonly string[]): Big => values.reduce((sum, value) => sum.plus(value), new Big(0));

const repeated = (values: readonly string[]): readonly string[] => [
  ...new Set(values.filter((value, i) => values.indexOf(value) !== i)),
];

const intentOf = ({ orders }: Evidence, clientOrderId: string) =>
  orders.find((order) => order.client_order_id === clientOrderId);

const isPlacement = ({ method, path }: LedgerRequest): boolean => method === 'POST' && path === '/api/v3/order';

const oursAtVenue = ({ ledger }: Evidence) => ledger.orders.filter(({ origin }) => origin === 'api');

const fillsAtVenue = (evidence: Evidence) =>
  evidence.ledger.fills.flatMap((fill) => {
    const order = oursAtVenue(evidence).find(({ orderId }) => orderId === fill.orderId);
    return order === undefined ? [] : [{ ...fill, clientOrderId: order.clientOrderId }];
  });

/** What the venue says that a trade bought, sold and paid. */
function moneyOf(evidence: Evidence, tradeId: string) {
  const fills = fillsAtVenue(evidence).filter(
    ({ clientOrderId }) => intentOf(evidence, clientOrderId)?.trade_id === tradeId,
  );
  const of = (side: string, pick: (fill: (typeof fills)[number]) => string) =>
    total(fills.filter((fill) => fill.side === side).map(pick));
  const baseFee = total(fills.filter(({ feeAsset }) => feeAsset === 'BTC').map(({ fee }) => fee));
  const quoteFee = total(fills.filter(({ feeAsset }) => feeAsset === 'USDT').map(({ fee }) => fee));
  return {
    held: of('BUY', ({ quantity }) => quantity).minus(baseFee),
    sold: of('SELL', ({ quantity }) => quantity),
    pnl: of('SELL', ({ quoteQuantity }) => quoteQuantity)
      .minus(of('BUY', ({ quoteQuantity }) => quoteQuantity))
      .minus(quoteFee),
  };
}

const oneEntryPerTradeAndLeg: Check = (evidence) => {
  const entries = oursAtVenue(evidence).flatMap(({ clientOrderId }) => {
    const intent = intentOf(evidence, clientOrderId);
    return intent?.purpose === 'entry' ? [`${intent.trade_id} leg ${intent.leg}`] : [];
  });
  return repeated(entries).map((trade) => `more than one entry order of ${trade} stands in the ledger`);
};

/** Each send has a timestamp of its own, committed before it: the same one again is a blind repetition. */
const everySendIsIntended: Check = ({ ledger }) =>
  repeated(
    ledger.requests
      .filter(isPlacement)
      .map(({ parameters }) => `${parameters['newClientOrderId']} at ${parameters['timestamp']}`),
  ).map((send) => `${send} was sent twice`);

/** A client order id is one order: sent again after it was taken, it would be a second one. */
const oneOrderPerId: Check = (evidence) => [
  ...repeated(oursAtVenue(evidence).map(({ clientOrderId }) => clientOrderId)).map(
    (id) => `the venue took ${id} twice`,
  ),
  ...repeated(
    evidence.ledger.requests
      .filter((request) => isPlacement(request) && request.accepted)
      .map(({ parameters }) => parameters['newClientOrderId'] ?? ''),
  ).map((id) => `${id} was sent again after it was taken`),
];

const neverSoldMoreThanHeld: Check = (evidence) =>
  evidence.trades.flatMap(({ trade_id }) => {
    const { held, sold } = moneyOf(evidence, trade_id);
    return sold.gt(held) ? [`${trade_id} sold ${sold.toFixed()} of ${held.toFixed()}`] : [];
  });

const closedTradesAreFlat: Check = (evidence) =>
  evidence.trades
    .filter(({ phase }) => phase === 'closed')
    .flatMap(({ trade_id }) => {
      const { held, sold } = moneyOf(evidence, trade_id);
      return held.minus(sold).gte(stepSize) ? [`${trade_id} is closed and holds ${held.minus(sold).toFixed()}`] : [];
    });

const intentBeforeSend: Check = (evidence) => {
  const intents = new Map(
    evidence.events
      .filter(({ type }) => type === 'OrderIntent' || type === 'ExitIntent')
      .map(({ body, recordedAtMs }) => [body['clientOrderId'], recordedAtMs]),
  );
  const received = [
    ...oursAtVenue(evidence).map(({ clientOrderId, receivedAtMs }) => ({ id: clientOrderId, receivedAtMs })),
    ...evidence.ledger.requests
      .filter(isPlacement)
      .map(({ parameters, receivedAtMs }) => ({ id: parameters['newClientOrderId'] ?? '', receivedAtMs })),
  ];
  return received.flatMap(({ id, receivedAtMs }) => {
    const intentAtMs = intents.get(id);
    if (intentAtMs === undefined || intentOf(evidence, id) === undefined) return [`order ${id} has no intent`];
    return intentAtMs > receivedAtMs + roundingMs
      ? [`order ${id} reached the venue at ${receivedAtMs}, its intent is of ${intentAtMs}`]
      : [];
  });
};

const everyFillIsInTheBook: Check = (evidence) => {
  const number = (text: string) => new Big(text).toFixed();
  const atVenue = fillsAtVenue(evidence).map(({ clientOrderId, tradeId, side, feeAsset, ...fill }) => {
    const numbers = [fill.price, fill.quantity, fill.quoteQuantity, fill.fee].map(number);
    return [clientOrderId, tradeId, side, ...numbers, feeAsset].join(' ');
  });
  const inBook = evidence.fills.map(({ client_order_id, venue_trade_id, side, fee_asset, ...fill }) => {
    const numbers = [fill.price, fill.quantity, fill.quote_quantity, fill.fee].map(number);
    return [client_order_id, venue_trade_id, side, ...numbers, fee_asset].join(' ');
  });
  return [
    ...atVenue.filter((fill) => !inBook.includes(fill)).map((fill) => `the book does not have the fill ${fill}`),
    ...inBook.filter((fill) => !atVenue.includes(fill)).map((fill) => `the venue does not know the fill ${fill}`),
    ...repeated(inBook).map((fill) => `the book has the fill twice: ${fill}`),
  ];
};

const resultsAreExact: Check = (evidence) =>
  evidence.trades
    .filter(({ phase }) => phase === 'closed')
    .flatMap(({ trade_id, result }) => {
      const { pnl } = moneyOf(evidence, trade_id);
      const stated = total((result ?? []).map((leg) => leg['pnl'] ?? 'NaN'));
      return stated.eq(pnl)
        ? []
        : [`${trade_id} states a result of ${stated.toFixed()}, the ledger comes to ${pnl.toFixed()}`];
    });

/** Only long positions are traded here: their stops may rise and never fall. */
const stopsNeverLoosen: Check = ({ events }) => {
  const highest = new Map<string, Big>();
  return events.flatMap(({ type, tradeId, body }) => {
    const stop = stopOf(type, body);
    if (stop === undefined) return [];
    const key = `${tradeId} ${String(body['kind'])}`;
    const before = highest.get(key);
    highest.set(key, before?.gt(stop) ? before : new Big(stop));
    return before?.gt(stop) ? [`the stop ${key} fell from ${before.toFixed()} to ${stop}`] : [];
  });
};

function stopOf(type: string, body: AuditEvent['body']): string | undefined {
  const state = body['state'] as { stopPrice?: string | null } | undefined;
  if (type === 'StopMoved' || type === 'StopActivated') return (body['stopPrice'] as string | null) ?? undefined;
  if (type === 'StopArmed' || type === 'StopTriggered') return state?.stopPrice ?? undefined;
  return undefined;
}

const reservationsAreConserved: Check = ({ reservations, trades, orders }) =>
  reservations.flatMap(({ trade_id, leg, quantity, posted_quantity, voided_quantity }) => {
    const pending = new Big(quantity).minus(posted_quantity).minus(voided_quantity);
    if (pending.lt(0)) return [`${trade_id} leg ${leg} gave back more than was reserved`];
    const isOver = trades.some(
      (trade) => trade.trade_id === trade_id && /^(closed|unfilled|denied)$/.test(trade.phase),
    );
    if (isOver && !pending.eq(0)) return [`${trade_id} is over and still reserves ${pending.toFixed()}`];
    const isParked = orders.some(
      (order) => order.trade_id === trade_id && order.purpose === 'entry' && order.status === 'parked',
    );
    return isParked && !pending.eq(quantity)
      ? [`${trade_id} is parked and reserves ${pending.toFixed()} of ${quantity}`]
      : [];
  });

/** Each row that a change of state leaves in the book, and the one record that belongs to it. */
const everyChangeHasItsRecord: Check = (evidence) => {
  const { events } = evidence;
  const exactly = (count: number, what: string, types: readonly string[], is: (event: AuditEvent) => boolean) => {
    const found = events.filter((event) => types.includes(event.type) && is(event)).length;
    return found === count ? [] : [`${what} has ${found} records ${types.join('/')}, not ${count}`];
  };
  const one = (tradeId: string, ...types: readonly string[]) =>
    exactly(1, tradeId, types, (event) => event.tradeId === tradeId);
  return [
    ...evidence.trades.flatMap(({ trade_id, phase }) => [
      ...one(trade_id, 'TradeDecided'),
      ...(phase === 'closed' ? one(trade_id, 'PositionClosed') : []),
    ]),
    ...evidence.orders.flatMap((order) => orderRecords(order, events, exactly)),
    ...evidence.fills.flatMap(({ venue_trade_id, side }) =>
      exactly(
        1,
        `fill ${venue_trade_id}`,
        ['Fill'],
        ({ body }) => body['venueTradeId'] === venue_trade_id && body['side'] === side,
      ),
    ),
    ...evidence.positions.flatMap(({ trade_id }) => one(trade_id, 'PositionOpened')),
    ...evidence.reservations.flatMap((reservation) => voidRecords(reservation, events)),
    ...evidence.exitRequests.flatMap(({ trade_id }) => one(trade_id, 'ExitRequested', 'StopTriggered')),
    ...evidence.guards.flatMap(({ trade_id, kind, triggered_at_ms }) => {
      const isThis = (event: AuditEvent) => event.tradeId === trade_id && event.body['kind'] === kind;
      return [
        ...exactly(1, `${trade_id} ${kind}`, ['StopArmed'], isThis),
        ...exactly(triggered_at_ms === null ? 0 : 1, `${trade_id} ${kind}`, ['StopTriggered'], isThis),
      ];
    }),
    ...evidence.alerts.flatMap(({ alert_id, resolved_at_ms }) => {
      const isThis = ({ body }: AuditEvent) => String(body['alertId']) === alert_id;
      return [
        ...exactly(1, `alert ${alert_id}`, ['AlertRaised'], isThis),
        ...exactly(resolved_at_ms === null ? 0 : 1, `alert ${alert_id}`, ['AlertResolved'], isThis),
      ];
    }),
  ];
};

function voidRecords(
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

function orderRecords(
  { client_order_id: id, purpose, status, in_doubt, send_epoch }: Evidence['orders'][number],
  events: readonly AuditEvent[],
  exactly: (count: number, what: string, types: readonly string[], is: (event: AuditEvent) => boolean) => string[],
): readonly string[] {
  const isThis = ({ body }: AuditEvent) => body['clientOrderId'] === id;
  const last = events.findLast((event) => isThis(event) && event.body['status'] !== undefined)?.body;
  const isAsRecorded =
    last === undefined ? status === 'pendingNew' : last['status'] === status && last['inDoubt'] === in_doubt;
  const word = purpose === 'entry' ? 'Order' : 'Exit';
  return [
    ...exactly(1, `order ${id}`, [`${word}Intent`], isThis),
    ...exactly(Number(send_epoch) - 1, `order ${id}`, [`${word}IntentRenewed`], isThis),
    ...(isAsRecorded ? [] : [`order ${id} is ${status}, its last record says ${String(last?.['status'])}`]),
  ];
}

/** What belongs to a trade that is over has ended by itself; nothing has failed, and no message was forgotten. */
const lifecyclesEnded: Check = ({ trades, workflows, undelivered }) => {
  const over = trades.filter(({ phase }) => /^(closed|unfilled|denied)$/.test(phase)).map(({ trade_id }) => trade_id);
  const ofOver = workflows.filter(({ workflowId }) =>
    over.some((id) => ['entry', 'position', 'stop', 'exit'].some((kind) => workflowId === `${kind}-${id}`)),
  );
  return [
    ...ofOver
      .filter(({ status }) => status !== 'COMPLETED')
      .map(({ workflowId, status }) => `${workflowId} is ${status}`),
    ...workflows
      .filter(({ status }) => status !== 'COMPLETED' && status !== 'RUNNING' && status !== 'CONTINUED_AS_NEW')
      .map(({ workflowId, status }) => `${workflowId} is ${status}`),
    ...(undelivered === 0 ? [] : [`${undelivered} messages are not delivered`]),
  ];
};

/** The promises, by name. Nothing of the product is used to judge them. */
export const checks = {
  oneEntryPerTradeAndLeg,
  oneOrderPerId,
  everySendIsIntended,
  neverSoldMoreThanHeld,
  closedTradesAreFlat,
  intentBeforeSend,
  everyFillIsInTheBook,
  resultsAreExact,
  stopsNeverLoosen,
  reservationsAreConserved,
  everyChangeHasItsRecord,
  lifecyclesEnded,
} as const satisfies Readonly<Record<string, Check>>;

/** Every broken promise, with its name; none is what a test expects. */
export const judge = (evidence: Evidence): readonly string[] =>
  Object.entries(checks).flatMap(([name, check]) => check(evidence).map((fault) => `${name}: ${fault}`));
