import { ApplicationFailure } from '@temporalio/common';
import type { DecisionPrice, EntryDecision } from '../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../src/contracts/messages/entry-request.ts';
import { parseEntryRequest } from '../src/contracts/schemas/entry-request.ts';
import type { Fault } from '../src/contracts/schemas/faults.ts';
import { type BreakerSettings, breakerReadingAt, breakerWith } from '../src/domain/circuit-breaker.ts';
import { zero } from '../src/domain/decimal.ts';
import { describe, RatchetError } from '../src/domain/errors.ts';
import type { SymbolFilters } from '../src/domain/filters.ts';
import { evaluateEntry } from '../src/domain/limits/gate.ts';
import { proposeEntry } from '../src/domain/limits/proposal.ts';
import { reasonsOf } from '../src/domain/limits/reasons.ts';
import type { EntryBrake, Snapshot } from '../src/domain/limits/snapshot.ts';
import { limitsOf, standingOf } from '../src/domain/limits/standing.ts';
import { crashPoint } from '../src/observability/crash-point.ts';
import type { LatestPrice } from '../src/prices/price-hub.ts';
import { decideTrade, type GateBook, type GateVerdict, requestHashOf } from '../src/store/trades/decisions.ts';
import { setHold } from '../src/store/trading-state/holds.ts';
import type { ActivityDependencies } from './dependencies.ts';

const priceWaitMs = 1_500;

export type CheckedEntry = {
  /** `existing`: another run decided this trade and took it past its approval; it manages it. */
  readonly outcome: 'approved' | 'denied' | 'existing';
  readonly decision: EntryDecision;
  /** As decided: defaults filled in. */
  readonly request: EntryRequest;
};

/** The market of one leg's symbol as the gate sees it; null = unknown, which denies. */
type Market = {
  readonly symbol: string;
  readonly price: LatestPrice | null;
  readonly filters: SymbolFilters | null;
};

/** What this process knows when it decides. */
type Seen = { readonly markets: readonly Market[]; readonly brake: EntryBrake | null };

/**
 * Decides on an entry: checks the request, reads the price, and evaluates and reserves in one transaction. The first
 * committed decision on a trade id is the only one. Fails, not to be retried, with every fault of a request that does
 * not fit the contract, and when the trade id was used with other content.
 */
export const createCheckLimits = (deps: ActivityDependencies) =>
  async function checkLimits(input: unknown, runId: string): Promise<CheckedEntry> {
    const request = readRequest(deps, input);
    const markets = await Promise.all(request.legs.map(({ symbol }, leg) => readMarket(deps, request, symbol, leg)));
    const brake = deps.entryBrake();
    crashPoint('beforeReserve');
    const decided = await decideTrade(deps.db, {
      request,
      requestHash: requestHashOf(request),
      runId,
      nowMs: deps.now(),
      evaluate: (book) => verdictOn(request, { markets, brake }, book, deps.breaker, deps.now()),
    });
    crashPoint('afterReserve');
    switch (decided.outcome) {
      case 'mismatch':
        throw refused('TRADE_ID_MISMATCH', { tradeId: request.tradeId });
      case 'unknown-account':
        throw unfit('account', request.account, 'an account of this stack');
      case 'decided':
      case 'existing': {
        const { decision, decidedByRun } = decided;
        count(deps, decision);
        await throttle(deps, request, decision);
        if (decision.outcome === 'denied') return { outcome: 'denied', decision, request };
        return { outcome: decidedByRun === runId ? 'approved' : 'existing', decision, request };
      }
    }
  };

function readRequest({ rooms }: ActivityDependencies, input: unknown): EntryRequest {
  const parsed = parseEntryRequest(input);
  if (!parsed.ok) throw invalid(parsed.faults);
  const { venue } = parsed.request;
  if (rooms.has(venue)) return parsed.request;
  throw unfit('venue', venue, `one of ${[...rooms.keys()].join(', ')}`);
}

/** A symbol that the venue does not have is a fault of the request; a venue that does not answer leaves it unknown. */
async function readMarket(
  { rooms, logger }: ActivityDependencies,
  { venue }: EntryRequest,
  symbol: string,
  leg: number,
): Promise<Market> {
  const room = rooms.get(venue);
  if (room === undefined) return { symbol, price: null, filters: null };
  try {
    const filters = await room.filters.get(symbol);
    return { symbol, filters, price: await room.prices.awaitPrice(symbol, priceWaitMs) };
  } catch (error) {
    if (error instanceof RatchetError && error.code === 'SYMBOL_UNKNOWN') {
      throw unfit(`legs[${leg}].symbol`, symbol, `a symbol of ${venue}`);
    }
    logger.warn({ error, symbol }, 'market is unknown');
    return { symbol, price: null, filters: null };
  }
}

/** The gate's decision on what the book says, under the account's lock. */
function verdictOn(
  request: EntryRequest,
  seen: Seen,
  book: GateBook,
  settings: BreakerSettings,
  nowMs: number,
): GateVerdict {
  const { account } = book;
  if (account.venue !== request.venue)
    throw unfit('venue', request.venue, `${account.venue}, where account ${account.account} trades`);
  const limits = limitsOf(account);
  const snapshot = snapshotOf(seen, book, settings, nowMs);
  const verdict = evaluateEntry(snapshot, proposeEntry(request, snapshot, limits), limits);
  const [price, ...otherPrices] = seen.markets.map(priceOf);
  const decision: EntryDecision = {
    tradeId: request.tradeId,
    outcome: verdict.outcome,
    reasons: reasonsOf(verdict.evaluations),
    evaluations: verdict.evaluations,
    ...(price && { price }),
    ...(otherPrices.length > 0 && { otherPrices }),
    decidedAtMs: nowMs,
  };
  if (verdict.outcome === 'denied') return { decision, reservations: [] };
  return {
    decision,
    reservations: verdict.prices.map((reserved, leg) => ({ leg, price: reserved, unitGamma: zero })),
    ...(verdict.probe && { probe: verdict.probe }),
  };
}

function priceOf({ price }: Market): DecisionPrice | null {
  if (price === null) return null;
  return { last: price.price, venueTradeId: String(price.venueTradeId), ageMs: Math.ceil(price.streamAgeMs) };
}

function snapshotOf(
  { markets, brake }: Seen,
  { account, holds, exposures, breaker, recent }: GateBook,
  settings: BreakerSettings,
  nowMs: number,
): Snapshot {
  return {
    ...standingOf(account, exposures, nowMs),
    nowMs,
    currency: account.currency,
    holds,
    breaker: breakerReadingAt(settings, breakerWith(settings, breaker), nowMs, breaker.probes),
    recent,
    brake,
    referencePrices: Object.fromEntries(
      markets.flatMap(({ symbol, price }) =>
        price === null ? [] : [[symbol, { last: price.price, ageMs: price.streamAgeMs }]],
      ),
    ),
    filters: Object.fromEntries(
      markets.flatMap(({ symbol, filters }) => (filters === null ? [] : [[symbol, filters]])),
    ),
  };
}

/** Switches off a strategy that repeats itself, until a person switches it on again: once for each entry that was too many. */
async function throttle(
  { db, now }: ActivityDependencies,
  { tradeId, strategy }: EntryRequest,
  { reasons }: EntryDecision,
): Promise<void> {
  const reason = reasons.find(({ code }) => code === 'STRATEGY_THROTTLED');
  if (reason === undefined) return;
  await setHold(db, {
    scope: { kind: 'strategy', id: strategy },
    source: 'throttle',
    level: 'entries-blocked',
    actor: 'throttle',
    reason: `the same entry more than ${reason.context['limit']} times, at last ${tradeId}`,
    commandId: `throttle:${tradeId}`,
    nowMs: now(),
  });
}

function count({ metrics }: ActivityDependencies, { outcome, reasons }: EntryDecision): void {
  metrics.entriesDecided.inc({ outcome, code: reasons[0]?.code ?? '' });
}

const invalid = (faults: readonly Fault[]): ApplicationFailure =>
  ApplicationFailure.create({
    message: describe(
      'REQUEST_INVALID',
      Object.fromEntries(faults.map(({ field, value, allowed }) => [field, `${value}, allowed: ${allowed}`])),
    ),
    type: 'REQUEST_INVALID',
    nonRetryable: true,
    details: [{ faults }],
  });

const unfit = (field: string, value: string, allowed: string): ApplicationFailure =>
  invalid([{ field, value: JSON.stringify(value), allowed }]);

const refused = (code: 'TRADE_ID_MISMATCH', context: Record<string, string>): ApplicationFailure =>
  ApplicationFailure.create({ message: describe(code, context), type: code, nonRetryable: true, details: [context] });
