import { compare, type Decimal } from '../../domain/decimal.ts';
import {
  isClosed,
  type OrderPurpose,
  type OrderStatus,
  type OrderType,
  type PositionSide,
  type Side,
} from '../../domain/order.ts';
import type { TrailingStop } from '../../domain/trailing-stop.ts';
import type { ExitTerms } from './entry-request.ts';

/**
 * Names of everything that is sent to a workflow. A signal is a fact or a broadcast, in any order and as often as it
 * likes; an update is a request that can be refused; a query is a noun.
 */
export const signals = {
  /** entry, exit, protectiveStop: an order of theirs changed. */
  orderReported: 'orderReported',
  /** positionMonitoring, protectiveStop: the entry's cumulative fills. Starts the monitor with the first one. */
  entryProgressed: 'entryProgressed',
  /** positionMonitoring, trailingStop, protectiveStop: a guard of the trade changed; carries its whole state. */
  guardChanged: 'guardChanged',
  /** positionMonitoring, trailingStop, protectiveStop, entry of several legs: the venue is flat, the money is counted. */
  positionClosed: 'positionClosed',
  /** marketWatch: something was armed. accountWatch: look now. */
  wake: 'wake',
  /** circuitBreaker: there are outcomes to fold. Empty. */
  poke: 'poke',
  /** circuitBreaker: an operator's halt and resume. */
  halt: 'halt',
  resume: 'resume',
} as const;

export const updates = { decide: 'decide', amendStop: 'amendStop' } as const;
export const queries = {
  entry: 'entry',
  position: 'position',
  stop: 'stop',
  exit: 'exit',
  protection: 'protection',
  breaker: 'breaker',
  sweep: 'sweep',
} as const;

/** An order as the book has it after a change. */
export type OrderReported = {
  readonly clientOrderId: string;
  readonly purpose: OrderPurpose;
  readonly leg: number;
  readonly generation: number;
  readonly status: OrderStatus;
  readonly inDoubt: boolean;
  readonly filledQuantity: Decimal;
  readonly filledQuote: Decimal;
  /** Whether every fill the venue has counted is in the book. */
  readonly fillsComplete: boolean;
  readonly reasonCode?: string;
  readonly reason?: string;
};

/**
 * Whether `heard` says more than `known`: it is of a later generation, or of the same order, further along or filled
 * more. Reports reach a workflow in any order and more than once.
 */
export function isNewer(heard: OrderReported, known: OrderReported): boolean {
  if (heard.generation !== known.generation) return heard.generation > known.generation;
  const rank = (report: OrderReported) =>
    (isClosed(report.status) ? 4 : 0) + (report.fillsComplete ? 2 : 0) + (report.inDoubt ? 0 : 1);
  const filled = compare(heard.filledQuantity, known.filledQuantity);
  if (filled !== 0) return filled > 0;
  if (heard.status === 'parked' && !isClosed(known.status)) return true;
  return (
    rank(heard) > rank(known) ||
    (rank(heard) === rank(known) && heard.status !== known.status && known.status === 'pendingNew')
  );
}

/** Everything the monitor needs, so that the first fill's message can start it. */
export type PositionInput = {
  readonly tradeId: string;
  readonly account: string;
  readonly strategy: string;
  readonly venue: string;
  readonly leg: number;
  readonly symbol: string;
  readonly side: PositionSide;
  readonly exit: ExitTerms;
};

/**
 * Cumulative: the last one says it all. `isFinal` = nothing of the entry can fill any more, and its fills are complete.
 * Quantities and the first fill are those of the leg that the guards watch, the first one.
 */
export type EntryProgressed = {
  readonly entryQuantity: Decimal;
  readonly entryQuote: Decimal;
  readonly isFinal: boolean;
  readonly firstFillAtMs: number;
  readonly firstVenueTradeId: string;
  /** Of the legs after the first that have filled. Absent where there is one leg. */
  readonly otherLegs?: readonly LegEntered[];
};

export type LegEntered = {
  readonly leg: number;
  readonly symbol: string;
  readonly entryQuantity: Decimal;
  readonly entryQuote: Decimal;
};

export type GuardKind = 'stopLoss' | 'takeProfit' | 'trailingStop';

/** A guard's whole state, to be joined: activated or, tightest stop, triggered latched. */
export type GuardChanged = {
  readonly kind: GuardKind;
  readonly version: number;
  readonly stop?: TrailingStop;
  readonly triggered?: { readonly price: Decimal; readonly venueTradeId: string; readonly atMs: number };
};

export type StopInput = {
  readonly tradeId: string;
  readonly account: string;
  readonly strategy: string;
  readonly symbol: string;
};

/** What an operator may change on a running stop: only to protect more tightly, unless `loosen` says otherwise. */
export type StopAmendment = { readonly distance: Decimal; readonly actor: string; readonly reason: string };

export type ExitReason =
  | 'stopLoss'
  | 'takeProfit'
  | 'trailingStop'
  | 'protectiveStop'
  | 'timeStop'
  | 'legFailed'
  | 'operator'
  | 'bot'
  | 'flatten';

export type ExitInput = {
  readonly tradeId: string;
  readonly venue: string;
  readonly account: string;
  readonly symbol: string;
  readonly reason: ExitReason;
  /** What comes first, planned when the start was told: without it the exit's first step is to look for itself. */
  readonly first?: ExitInstruction;
};

export type MarketWatchInput = { readonly venue: string; readonly shard: string };
export type AccountWatchInput = { readonly venue: string; readonly account: string };
/** `scope` names the breaker, such as `account-main`. */
export type BreakerInput = { readonly scope: string; readonly account: string };

/** An order's place in its trade. Its client order id is a function of it. */
export type OrderRef = {
  readonly tradeId: string;
  readonly leg: number;
  readonly purpose: OrderPurpose;
  readonly generation: number;
};

/** What an exit order asks for; an entry's terms stand in its request. */
export type OrderTerms = {
  readonly side: Side;
  readonly orderType: OrderType;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
  readonly stopPrice: Decimal | null;
};

/** The next thing an exit does, as `domain/exit.ts` decided it on the book. */
export type ExitInstruction =
  | { readonly step: 'cancel' | 'find' | 'collectFills'; readonly order: OrderRef & { readonly clientOrderId: string } }
  | { readonly step: 'place'; readonly order: OrderRef; readonly terms: OrderTerms }
  | { readonly step: 'await'; readonly why: string; readonly untilMs: number }
  | { readonly step: 'settle' };

export type ProtectionInput = {
  readonly tradeId: string;
  readonly venue: string;
  readonly account: string;
  readonly strategy: string;
  readonly symbol: string;
};

/** The next thing done for the stop at the venue, as `domain/protective-stop.ts` decided it on the book. */
export type ProtectionInstruction =
  | { readonly step: 'cancel' | 'find' | 'collectFills'; readonly order: OrderRef }
  | { readonly step: 'place'; readonly order: OrderRef; readonly terms: OrderTerms }
  | { readonly step: 'replace'; readonly cancel: OrderRef; readonly order: OrderRef; readonly terms: OrderTerms }
  | { readonly step: 'exit'; readonly why: string }
  | { readonly step: 'wait'; readonly why: string; readonly untilMs: number | null }
  | { readonly step: 'done' };

/** The trade's money once the venue is flat. P&L = quote received - quote paid - fees, others at the fill's price. */
export type PositionClosed = {
  readonly tradeId: string;
  readonly symbol: string;
  readonly side: PositionSide;
  readonly exitReason: ExitReason | 'none';
  readonly entryQuantity: Decimal;
  readonly entryQuote: Decimal;
  readonly exitQuantity: Decimal;
  readonly exitQuote: Decimal;
  readonly fees: Decimal;
  readonly pnl: Decimal;
  readonly pnlAsset: string;
  /** Base quantity left that is too small to sell, valued zero. */
  readonly dust: Decimal;
  /** Base quantity that a person has found to be gone from the venue, valued zero. Absent where there was none. */
  readonly writtenOff?: Decimal;
  readonly closedAtMs: number;
  /** Of a trade of several legs: those after the first, each in its own assets. */
  readonly otherLegs?: readonly PositionClosed[];
};

export type HoldScope = { readonly kind: 'all' | 'account' | 'strategy' | 'symbol'; readonly id: string };
export type HoldLevel = 'entries-blocked' | 'frozen' | 'flatten';
/** Who may set a hold. People lift those of `operator` and `throttle`, the others lift their own. */
export type HoldSource = 'operator' | 'breaker' | 'venue' | 'reconciliation' | 'throttle';

/** What a freeze takes back: the entry orders of the scope at these venues. `epoch` is the version of its hold. */
export type CancelAllInput = {
  readonly scope: HoldScope;
  readonly epoch: string;
  readonly level: Exclude<HoldLevel, 'entries-blocked'>;
  readonly venues: readonly string[];
};

/** A halt as an operator sends it, from anywhere. `scope` defaults to the breaker's own account. */
export type Halt = {
  readonly actor: string;
  readonly reason: string;
  readonly level?: HoldLevel;
  readonly scope?: HoldScope;
  readonly expiresAtMs?: number;
  readonly commandId?: string;
};

export type Resume = {
  readonly actor: string;
  readonly reason: string;
  readonly scope?: HoldScope;
  /** Whose hold is lifted: `operator` (standard), or the `throttle`'s. */
  readonly source?: 'operator' | 'throttle';
  readonly commandId?: string;
};

/** An order that can still fill, as a halt lists it. */
export type WorkingOrder = {
  readonly clientOrderId: string;
  readonly tradeId: string;
  readonly symbol: string;
  readonly side: Side;
  readonly leavesQuantity: Decimal;
  readonly status: OrderStatus;
};
