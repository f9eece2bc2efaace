import type { Decimal } from '../../domain/decimal.ts';
import type { EntryPhase } from '../../domain/entry-legs.ts';
import type { TrailingStop, TrailingStopRules } from '../../domain/trailing-stop.ts';
import type { EntryDecision } from './decision.ts';
import type {
  EntryProgressed,
  ExitReason,
  GuardKind,
  HoldLevel,
  HoldScope,
  HoldSource,
  OrderReported,
  PositionClosed,
  WorkingOrder,
} from './messages.ts';

/** What the queries of the lifecycles answer. Each is also shown in the current details of the Temporal UI. */
export type EntryView = {
  readonly tradeId: string;
  readonly phase: 'requested' | 'denied' | 'existing' | EntryPhase;
  readonly decision: EntryDecision | null;
  /** One a leg, in their order; null until something is known of it. */
  readonly orders: readonly (OrderReported | null)[];
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

/** The stop that is held at the venue. */
export type ProtectionView = {
  readonly tradeId: string;
  readonly doing: string;
  /** What the last order asked for; null before the first one. */
  readonly stopPrice: Decimal | null;
  readonly quantity: Decimal | null;
  /** Orders sent so far, replacements included. */
  readonly orders: number;
};

/** A hold in force, as people see it. `version` is what a resume compares and sets. */
export type HoldView = {
  readonly holdId: string;
  readonly scope: HoldScope;
  readonly source: HoldSource;
  readonly level: HoldLevel;
  readonly version: string;
  readonly actor: string;
  readonly reason: string;
  readonly setAtMs: number;
  readonly expiresAtMs: number | null;
};

/** How the sweep of a freeze at one venue stands. */
export type SweepView = {
  readonly venue: string;
  /** Orders that the last look could not show to be gone, by client order id. */
  readonly left: readonly string[];
  readonly canceled: number;
  /** Of a flatten: trades that are not flat yet. */
  readonly notFlat: readonly string[];
  readonly looks: number;
  /** Null while it goes on. `withdrawn`: its hold was lifted or set again. */
  readonly outcome: 'clear' | 'withdrawn' | null;
  readonly nextLookAtMs: number;
};

/** What waits for a second person, or has been carried out. */
export type ApprovalView = {
  readonly approvalId: string;
  readonly kind: 'resume' | 'limits';
  readonly request: Readonly<Record<string, unknown>>;
  /** Whoever approves says which request they have seen. */
  readonly requestHash: string;
  readonly peopleNeeded: number;
  readonly voters: readonly {
    readonly keyId: string;
    readonly person: string;
    readonly reason: string;
    readonly votedAtMs: number;
  }[];
  readonly requestedAtMs: number;
  readonly expiresAtMs: number;
  readonly appliedAtMs: number | null;
};

export type CancelAllView = {
  readonly scope: HoldScope;
  readonly epoch: string;
  readonly sweeps: readonly SweepView[];
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
