import type { Decimal } from '../../domain/decimal.ts';
import type { TrailingStop, TrailingStopRules } from '../../domain/trailing-stop.ts';
import type { EntryDecision } from './decision.ts';
import type {
  EntryProgressed,
  ExitReason,
  GuardKind,
  HoldLevel,
  HoldScope,
  OrderReported,
  PositionClosed,
  WorkingOrder,
} from './messages.ts';

/** What the queries of the lifecycles answer. Each is also shown in the current details of the Temporal UI. */
export type EntryView = {
  readonly tradeId: string;
  readonly phase:
    | 'requested'
    | 'denied'
    | 'placing'
    | 'working'
    | 'in-doubt'
    | 'parked'
    | 'entered'
    | 'partly-entered'
    | 'unfilled'
    | 'existing';
  readonly decision: EntryDecision | null;
  readonly order: OrderReported | null;
};

export type PositionView = {
  readonly tradeId: string;
  readonly phase: 'opening' | 'guarded' | 'closing' | 'closed';
  readonly entry: EntryProgressed | null;
  readonly armed: readonly GuardKind[];
  readonly timeStopAtMs: number | null;
  readonly exitReason: ExitReason | null;
  readonly closed: PositionClosed | null;
};

export type StopView = {
  readonly tradeId: string;
  readonly version: number;
  readonly rules: TrailingStopRules;
  readonly stop: TrailingStop;
  readonly triggeredAtPrice: Decimal | null;
};

export type ExitView = {
  readonly tradeId: string;
  readonly reason: ExitReason;
  readonly doing: string;
  readonly orders: number;
  readonly closed: PositionClosed | null;
};

/** A hold in force, as people see it. `version` is what a resume compares and sets. */
export type HoldView = {
  readonly holdId: string;
  readonly scope: HoldScope;
  readonly source: 'operator' | 'breaker' | 'venue';
  readonly level: HoldLevel;
  readonly version: string;
  readonly actor: string;
  readonly reason: string;
  readonly setAtMs: number;
  readonly expiresAtMs: number | null;
};

export type BreakerView = {
  readonly scope: string;
  readonly state: 'CLOSED' | 'OPEN' | 'HALF_OPEN';
  /** Why it is in this state: cause and count of the last transition. */
  readonly because: string;
  readonly failures: number;
  readonly openedAtMs: number | null;
  /** When the state or a hold changes by itself, or null. */
  readonly nextTransitionAtMs: number | null;
  readonly holds: readonly HoldView[];
  /** Entries that can still fill: a halt blocks new ones and names these. */
  readonly workingEntries: readonly WorkingOrder[];
  /** What became of the last operator's message, refusals with their code included. */
  readonly lastCommand: {
    readonly outcome: 'applied' | 'refused';
    readonly message: string;
    readonly atMs: number;
  } | null;
};
