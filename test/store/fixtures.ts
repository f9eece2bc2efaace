import type { EntryDecision } from '../../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import type { VenueFill, VenueOrder } from '../../src/contracts/messages/venue-order.ts';
import { type Decimal, decimal, isMore, multiply, sum } from '../../src/domain/decimal.ts';
import { invariant } from '../../src/domain/invariant.ts';
import type { OrderReport } from '../../src/domain/order.ts';
import type { OutcomeClass } from '../../src/domain/outcome.ts';
import type { TrailingStopRules } from '../../src/domain/trailing-stop.ts';
import type { Db } from '../../src/store/database.ts';
import { isUnavailable } from '../../src/store/database-errors.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { commitIntent, type IntentOutcome, type OrderIntent } from '../../src/store/orders/intents.ts';
import {
  applyVenueOrder,
  type ReportOutcome,
  type SendOutcome,
  type VenueReport,
} from '../../src/store/orders/order-reports.ts';
import { decideTrade, type GateBook, type GateVerdict, requestHashOf } from '../../src/store/trades/decisions.ts';
import { ensureAccount } from '../../src/store/trading-state/accounts.ts';

export const d = decimal;
export const nowMs = 1_795_262_400_000;

/** A long position's stop that follows the price at one percent. */
export const trailingRules: TrailingStopRules = {
  side: 'long',
  by: 'percent',
  distance: d('1'),
  activationPrice: null,
  tickSize: null,
  minimumMovePercent: null,
  extremeFrom: 'activation',
};

export const openAccount = (db: Db, account = 'main') =>
  ensureAccount(db, {
    account,
    venue: 'paper',
    currency: 'USDT',
    limits: { orderNotionalMax: '25000' },
    actor: { type: 'system', id: 'test' },
    nowMs,
  });

export const aRequest = (changed: Partial<EntryRequest> = {}): EntryRequest => ({
  tradeId: 'trade-1',
  account: 'main',
  strategy: 'ma-cross',
  venue: 'paper',
  legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: d('1'), unitDelta: d('1') }],
  entry: { type: 'LIMIT', price: d('100'), timeInForce: 'GTC' },
  exit: { stopLoss: { price: d('90') } },
  requestedAtMs: nowMs,
  validForMs: 10_000,
  ...changed,
});

export const decisionOf = (request: EntryRequest, outcome: EntryDecision['outcome']): EntryDecision => ({
  tradeId: request.tradeId,
  outcome,
  reasons: [],
  evaluations: [],
  decidedAtMs: nowMs,
});

/** Approves whatever comes, at the price given. */
export const approving =
  (request: EntryRequest, price: Decimal = d('100')) =>
  (): GateVerdict => ({
    decision: decisionOf(request, 'approved'),
    reservations: request.legs.map((_, leg) => ({ leg, price, unitGamma: d('0') })),
  });

/** Approves as long as all exposures and this one stay within `cap`. */
export const withinCap =
  (request: EntryRequest, cap: Decimal, price: Decimal = d('100')) =>
  (book: GateBook): GateVerdict => {
    const wouldBe = sum([...book.exposures.map((exposure) => exposure.notional), price]);
    if (isMore(wouldBe, cap)) return { decision: decisionOf(request, 'denied'), reservations: [] };
    return approving(request, price)();
  };

export const decide = (
  db: Db,
  request: EntryRequest,
  evaluate: (book: GateBook) => GateVerdict = approving(request),
  runId = 'run-1',
) => decideTrade(db, { request, requestHash: requestHashOf(request), runId, nowMs, evaluate });

export const entryIntent = (request: EntryRequest, changed: Partial<OrderIntent> = {}): OrderIntent => ({
  clientOrderId: `${request.tradeId}-e1`,
  tradeId: request.tradeId,
  leg: 0,
  purpose: 'entry',
  generation: 1,
  account: request.account,
  venue: request.venue,
  symbol: 'BTC/USDT',
  side: 'BUY',
  orderType: 'LIMIT',
  quantity: d('1'),
  limitPrice: d('100'),
  stopPrice: null,
  signedAtMs: nowMs,
  recvWindowMs: 3_000,
  nowMs,
  ...changed,
});

export const exitIntent = (request: EntryRequest, quantity: Decimal, generation = 1): OrderIntent => ({
  ...entryIntent(request),
  clientOrderId: `${request.tradeId}-x${generation}`,
  purpose: 'exit',
  generation,
  side: 'SELL',
  orderType: 'MARKET',
  quantity,
  limitPrice: null,
});

/** The order of an intent that must have been committed. */
export const committed = (outcome: IntentOutcome): BookOrder => {
  invariant(outcome.outcome === 'committed', `the intent is committed, was ${outcome.outcome}`);
  return outcome.order;
};

/** Decides and commits the intent of an entry of 1 BTC at 100. */
export async function placeEntry(db: Db, request: EntryRequest): Promise<BookOrder> {
  await decide(db, request);
  return committed(await commitIntent(db, entryIntent(request)));
}

export const aFill = (venueTradeId: string, quantity: string, changed: Partial<VenueFill> = {}): VenueFill => ({
  venueTradeId,
  quantity: d(quantity),
  price: d('100'),
  quoteQuantity: multiply(d(quantity), changed.price ?? d('100')),
  fee: d('0'),
  feeAsset: 'USDT',
  isMaker: false,
  transactedAtMs: nowMs + Number(venueTradeId),
  ...changed,
});

/** What the venue says of an order: its status, the cumulative quantity, and the fills this message carries. */
export const venueOrder = (
  order: BookOrder,
  status: OrderReport['status'],
  filledQuantity: string,
  fills: readonly VenueFill[] = [],
  changed: Partial<VenueOrder> = {},
): VenueOrder => ({
  clientOrderId: order.clientOrderId,
  venueOrderId: `v-${order.clientOrderId}`,
  symbol: order.symbol,
  side: order.side,
  quantity: order.quantity,
  stopPrice: null,
  report: { status, filledQuantity: d(filledQuantity), filledQuote: multiply(d(filledQuantity), d('100')) },
  fills,
  observedAtMs: nowMs,
  ...changed,
});

export const report = (db: Db, order: VenueOrder, changed: Partial<VenueReport> = {}): Promise<ReportOutcome> =>
  applyVenueOrder(db, { order, via: 'stream', nowMs: nowMs + 10, ...changed });

/** A trade that is open with 1 BTC bought at 100 in one fill. */
export async function enter(db: Db, request: EntryRequest, fill: Partial<VenueFill> = {}): Promise<BookOrder> {
  const order = await placeEntry(db, request);
  await report(db, venueOrder(order, 'filled', '1', [aFill(fill.venueTradeId ?? String(nextTradeId()), '1', fill)]));
  return order;
}

let lastTradeId = 1_000;
export const nextTradeId = (): number => {
  lastTradeId += 1;
  return lastTradeId;
};

/** Counts records by type. */
export async function recordsOf(
  db: Db,
  tradeId: string,
): Promise<readonly { type: string; body: Record<string, unknown> }[]> {
  const rows = await db
    .selectFrom('audit_event')
    .select(['event_type', 'body'])
    .where('trade_id', '=', tradeId)
    .orderBy('insert_no')
    .execute();
  return rows.map((row) => ({ type: row.event_type, body: JSON.parse(row.body) }));
}

export const typesOf = async (db: Db, tradeId: string): Promise<readonly string[]> =>
  (await recordsOf(db, tradeId)).map(({ type }) => type);

export const messagesTo = (db: Db, workflowId: string) =>
  db.selectFrom('outbox').selectAll().where('workflow_id', '=', workflowId).orderBy('message_id').execute();

export const alertCodes = async (db: Db): Promise<readonly string[]> =>
  (await db.selectFrom('alert').select('code').where('resolved_at_ms', 'is', null).orderBy('alert_id').execute()).map(
    ({ code }) => code,
  );

export const reservationOf = (db: Db, tradeId: string) =>
  db
    .selectFrom('reservation')
    .select(['quantity', 'posted_quantity as posted', 'voided_quantity as voided', 'void_reason as why'])
    .where('trade_id', '=', tradeId)
    .where('leg', '=', 0)
    .executeTakeFirstOrThrow();

export const phaseOf = async (db: Db, tradeId: string): Promise<string> =>
  (await db.selectFrom('trade').select('phase').where('trade_id', '=', tradeId).executeTakeFirstOrThrow()).phase;

/** As every caller does: what the database was too busy for is asked again. */
export async function retrying<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }
}

/** What a send came to; refused, unless it is said otherwise. */
export const sent = (outcome: OutcomeClass, changed: Partial<SendOutcome> = {}): SendOutcome => ({
  epoch: 1,
  outcome,
  httpStatus: 400,
  venueCode: -2010,
  detail: 'as the venue says',
  ...changed,
});
