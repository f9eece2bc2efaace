import type { EntryDecision } from '../../contracts/messages/decision.ts';
import type { EntryRequest, Leg } from '../../contracts/messages/entry-request.ts';
import { accountScope, entryId } from '../../contracts/messages/names.ts';
import type { HoldView } from '../../contracts/messages/views.ts';
import type { Decimal } from '../../domain/decimal.ts';
import type { Exposure, RecentEntries } from '../../domain/limits/snapshot.ts';
import { limitsOf } from '../../domain/limits/standing.ts';
import { hashOf } from '../canonical.ts';
import type { Db, Tx } from '../database.ts';
import { record } from '../record.ts';
import type { TradePhase } from '../tables.ts';
import { type BreakerReadout, readBreaker } from '../trading-state/breaker.ts';
import { holdsApplyingTo } from '../trading-state/holds.ts';
import { readExposures } from './exposures.ts';
import { fingerprintOf, readRecentEntries } from './recent-entries.ts';

/** What the book knows at the moment of one decision, read under the lock of the account. */
export type GateBook = {
  readonly account: GateAccount;
  readonly holds: readonly HoldView[];
  /** Open positions at cost, and what is still pending of each reservation: an order in doubt keeps its own. */
  readonly exposures: readonly Exposure[];
  readonly breaker: BreakerReadout;
  readonly recent: RecentEntries;
};

/** As stored; whoever evaluates checks the limits. */
type GateAccount = {
  readonly account: string;
  readonly venue: string;
  readonly currency: string;
  readonly limits: unknown;
  readonly limitsVersion: number;
  readonly equity: Decimal | null;
  readonly equityAtMs: number | null;
  readonly equityFault: string | null;
};

export type GateVerdict = {
  readonly decision: EntryDecision;
  /** When approved, one for each leg: the price that its exposure is counted at. */
  readonly reservations: readonly { readonly leg: number; readonly price: Decimal; readonly unitGamma: Decimal }[];
  /** When approved as a probe of a breaker that is HALF_OPEN. */
  readonly probe?: { readonly halfOpenAtMs: number; readonly expiresAtMs: number };
};

export type TradeDecision = {
  readonly decision: EntryDecision;
  readonly decidedByRun: string;
  readonly phase: TradePhase;
};

export type DecideOutcome =
  | ({ readonly outcome: 'decided' | 'existing' } & TradeDecision)
  /** The trade id was used before with other content. */
  | { readonly outcome: 'mismatch' }
  | { readonly outcome: 'unknown-account' };

/** Names a request by its content: the same request has the same hash, however its JSON is written. */
export const requestHashOf = (request: EntryRequest): string => hashOf(request);

/**
 * Decides once and for ever, in one transaction: reads the book under the account's lock, evaluates, writes the
 * decision with all its evaluations, and on approval reserves. Two decisions on one account can't see the same room.
 * `evaluate` is pure and must not wait: the lock is held meanwhile. Asked again, it returns the first decision.
 */
export async function decideTrade(
  db: Db,
  asked: {
    readonly request: EntryRequest;
    readonly requestHash: string;
    readonly runId: string;
    readonly nowMs: number;
    readonly evaluate: (book: GateBook) => GateVerdict;
  },
): Promise<DecideOutcome> {
  const { request, requestHash, runId, nowMs } = asked;
  const known = await findDecision(db, request.tradeId, requestHash);
  if (known) return known;
  return db.transaction().execute(async (tx) => {
    const account = await lockAccount(tx, request.account);
    if (!account) return { outcome: 'unknown-account' };
    const book = await readBook(tx, account, request, nowMs);
    const verdict = asked.evaluate(book);
    const phase = verdict.decision.outcome === 'approved' ? 'placing' : 'denied';
    const isFirst = await insertTrade(tx, { request, requestHash, runId, nowMs, phase, decision: verdict.decision });
    if (!isFirst) return (await findDecision(tx, request.tradeId, requestHash)) ?? { outcome: 'mismatch' };
    if (phase === 'placing') await reserve(tx, request, verdict, nowMs);
    await recordDecision(tx, { request, requestHash, runId, nowMs, verdict, limitsVersion: account.limitsVersion });
    return { outcome: 'decided', decision: verdict.decision, decidedByRun: runId, phase };
  });
}

/** The first committed decision on a trade id, or undefined. */
export async function readDecision(db: Db, tradeId: string): Promise<TradeDecision | undefined> {
  const row = await findTrade(db, tradeId);
  return row && { decision: row.decision_body, decidedByRun: row.decided_by_run, phase: row.phase };
}

const findTrade = (db: Db, tradeId: string) =>
  db
    .selectFrom('trade')
    .select(['request_hash', 'decision_body', 'decided_by_run', 'phase'])
    .where('trade_id', '=', tradeId)
    .executeTakeFirst();

async function findDecision(db: Db, tradeId: string, requestHash: string): Promise<DecideOutcome | undefined> {
  const row = await findTrade(db, tradeId);
  if (!row) return undefined;
  if (row.request_hash !== requestHash) return { outcome: 'mismatch' };
  return { outcome: 'existing', decision: row.decision_body, decidedByRun: row.decided_by_run, phase: row.phase };
}

/** The one point where decisions on an account queue. What only refers to the account, as fills do, does not wait. */
const lockAccount = (tx: Tx, account: string): Promise<GateAccount | undefined> =>
  tx
    .selectFrom('account')
    .select([
      'account_id as account',
      'venue',
      'currency',
      'limits',
      'limits_version as limitsVersion',
      'equity',
      'equity_at_ms as equityAtMs',
      'equity_fault as equityFault',
    ])
    .where('account_id', '=', account)
    .forNoKeyUpdate()
    .executeTakeFirst();

async function readBook(tx: Tx, account: GateAccount, request: EntryRequest, nowMs: number): Promise<GateBook> {
  const symbols = request.legs.map((leg) => leg.symbol);
  const holds = await holdsApplyingTo(tx, { account: account.account, strategy: request.strategy, symbols }, nowMs);
  const exposures = await readExposures(tx, account.account);
  const breaker = await readBreaker(tx, accountScope(account.account), nowMs);
  const recent = await readRecentEntries(tx, request, limitsOf(account), nowMs);
  return { account, holds, exposures, breaker, recent };
}

async function insertTrade(
  tx: Tx,
  trade: {
    readonly request: EntryRequest;
    readonly requestHash: string;
    readonly runId: string;
    readonly nowMs: number;
    readonly phase: TradePhase;
    readonly decision: EntryDecision;
  },
): Promise<boolean> {
  const { request, decision } = trade;
  const inserted = await tx
    .insertInto('trade')
    .values({
      trade_id: request.tradeId,
      request_hash: trade.requestHash,
      request: JSON.stringify(request),
      fingerprint: fingerprintOf(request),
      account_id: request.account,
      strategy: request.strategy,
      venue: request.venue,
      decision: decision.outcome,
      decision_body: JSON.stringify(decision),
      decided_at_ms: trade.nowMs,
      decided_by_run: trade.runId,
      phase: trade.phase,
    })
    // Another account's decision on the same trade id does not wait for this account's lock.
    .onConflict((conflict) => conflict.column('trade_id').doNothing())
    .returning('trade_id')
    .executeTakeFirst();
  return inserted !== undefined;
}

async function reserve(
  tx: Tx,
  request: EntryRequest,
  { reservations, probe }: GateVerdict,
  nowMs: number,
): Promise<void> {
  await tx
    .insertInto('reservation')
    .values(
      reservations.map(({ leg, price, unitGamma }) => {
        const { symbol, side, quantity, unitDelta } = request.legs[leg] as Leg;
        return {
          trade_id: request.tradeId,
          leg,
          account_id: request.account,
          strategy: request.strategy,
          symbol,
          side,
          price,
          unit_delta: unitDelta,
          unit_gamma: unitGamma,
          quantity,
          reserved_at_ms: nowMs,
        };
      }),
    )
    .execute();
  if (probe === undefined) return;
  await tx
    .insertInto('breaker_probe')
    .values({
      scope: accountScope(request.account),
      trade_id: request.tradeId,
      half_open_at_ms: probe.halfOpenAtMs,
      expires_at_ms: probe.expiresAtMs,
    })
    .execute();
}

const recordDecision = (
  tx: Tx,
  decided: {
    readonly request: EntryRequest;
    readonly requestHash: string;
    readonly runId: string;
    readonly nowMs: number;
    readonly verdict: GateVerdict;
    readonly limitsVersion: number;
  },
): Promise<void> => {
  const { request, verdict } = decided;
  const { outcome, reasons, evaluations, price } = verdict.decision;
  return record(tx, {
    type: 'TradeDecided',
    key: [request.tradeId],
    tradeId: request.tradeId,
    atMs: decided.nowMs,
    actor: { type: 'workflow', id: entryId(request.tradeId) },
    data: {
      outcome,
      account: request.account,
      strategy: request.strategy,
      legs: request.legs,
      requestHash: decided.requestHash,
      runId: decided.runId,
      limitsVersion: decided.limitsVersion,
      price,
      evaluations,
      reasons,
      reservations: verdict.reservations,
      probe: verdict.probe,
    },
  });
};
