import type { EntryDecision } from '../../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { type Decimal, decimal, isMore, sum } from '../../src/domain/decimal.ts';
import { ensureAccount } from '../../src/store/accounts.ts';
import type { Db } from '../../src/store/database.ts';
import { decideTrade, type GateBook, type GateVerdict, requestHashOf } from '../../src/store/decisions.ts';

export const d = decimal;
export const nowMs = 1_795_262_400_000;

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
