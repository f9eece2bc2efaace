/**
 * How a freeze takes back the entry orders of its scope: look, cancel what is listed, look again, until the venue has
 * said twice that none is left, far enough apart that an order sent before the halt can't appear any more. What can't
 * be canceled is named to people while it goes on.
 */
export type SweepState = {
  readonly startedAtMs: number;
  readonly looks: number;
  /** When the first of the last looks in a row that found nothing was made; null = the last one was no such look. */
  readonly emptySinceMs: number | null;
  /** The orders that the last look could not show to be gone, by client order id. */
  readonly left: readonly string[];
  /** Looks in a row that found something or could not see everything. */
  readonly troubles: number;
};

/** What one look found, after it had tried to cancel what it saw. */
export type SweepLook = {
  /** When it was begun: what came later can't be in it. */
  readonly atMs: number;
  /** When it had asked and canceled all it could. */
  readonly endedAtMs: number;
  /** Entry orders of the scope that the venue listed as open when the look was begun. */
  readonly listed: readonly string[];
  /** Of these, those that did not end under this look's cancels. */
  readonly notCanceled: readonly string[];
  /** Orders that may work where the venue did not answer: they are not known to be gone. */
  readonly unseen: readonly string[];
  /** Whether everything that had to be read was read. */
  readonly isComplete: boolean;
  /** Orders of the book that may still appear: sent without an answer, or in doubt. */
  readonly awaited: readonly string[];
  /** The venue has said that nobody may ask it before. */
  readonly retryAtMs?: number;
};

export type SweepSettings = {
  /** How far apart two empty looks have to be: longer than the venue accepts an order after its intent. */
  readonly settleMs: number;
};

export type SweepPlan = {
  readonly state: SweepState;
  /** The venue has said twice that nothing is left, and nothing of the book can appear any more. */
  readonly isFinished: boolean;
  readonly nextLookAtMs: number;
  /** The orders to name to people now; empty = there is nothing to tell. */
  readonly toName: readonly string[];
};

export const newSweep = (startedAtMs: number): SweepState => ({
  startedAtMs,
  looks: 0,
  emptySinceMs: null,
  left: [],
  troubles: 0,
});

/** People hear within five seconds what is left: with the look after which it would be too late for the next one. */
const nameWithinMs = 4_500;
const lookTakesMs = 500;
const lookAgainMs = 250;
const lookAgainMaxMs = 2_000;

/** What follows from a look. */
export function afterLook(state: SweepState, look: SweepLook, { settleMs }: SweepSettings): SweepPlan {
  const isEmpty = look.isComplete && look.listed.length === 0;
  const left = [...new Set([...look.notCanceled, ...look.unseen])].toSorted();
  // An order that was canceled by this look is gone, and the next look has to see that.
  const troubles = left.length > 0 || !look.isComplete ? state.troubles + 1 : 0;
  const emptySinceMs = isEmpty ? (state.emptySinceMs ?? look.atMs) : null;
  const next: SweepState = { ...state, looks: state.looks + 1, emptySinceMs, left, troubles };
  const isClear = emptySinceMs !== null && look.atMs - emptySinceMs >= settleMs;
  const nextLookAtMs = nextLook(next, look, settleMs, isClear);
  return {
    state: next,
    isFinished: isClear && look.awaited.length === 0,
    nextLookAtMs,
    toName: isLastChance(state, look, nextLookAtMs) ? left : [],
  };
}

function isLastChance({ startedAtMs }: SweepState, { atMs, endedAtMs }: SweepLook, nextLookAtMs: number): boolean {
  const nextEndsAtMs = nextLookAtMs + Math.max(lookTakesMs, endedAtMs - atMs);
  return nextEndsAtMs - startedAtMs > nameWithinMs;
}

function nextLook(state: SweepState, look: SweepLook, settleMs: number, isClear: boolean): number {
  // Nobody asks a venue that has said when it will answer again: it would only say it for longer.
  if (look.retryAtMs !== undefined && look.retryAtMs > look.atMs) return look.retryAtMs;
  if (isClear) return look.atMs + settleMs;
  if (state.emptySinceMs !== null) return state.emptySinceMs + settleMs;
  return look.endedAtMs + Math.min(lookAgainMaxMs, lookAgainMs * 2 ** Math.min(state.troubles, 4));
}

/** An order as the venue lists it, with what it is to the sweep. */
export type ListedOrder = {
  readonly clientOrderId: string;
  readonly symbol: string;
  /** An entry order of the sweep's scope. All others stay: exits, and what somebody else placed. */
  readonly isInScope: boolean;
};

/** Symbols that may be canceled as a whole, and the orders that have to be canceled one by one. */
export type CancelPlan = { readonly symbols: readonly string[]; readonly single: readonly string[] };

/** From so many orders on, one request for a whole symbol is worth it. */
const wholeSymbolFrom = 3;

/**
 * How to cancel what is listed. A symbol is canceled as a whole only where nothing else works in it and nothing else may
 * come to work while the request is on its way: `holdsNothing` says that no position is open there that could be sold.
 */
export function planCancels(open: readonly ListedOrder[], holdsNothing: (symbol: string) => boolean): CancelPlan {
  const isWhole = (symbol: string): boolean => {
    const orders = open.filter((order) => order.symbol === symbol);
    return orders.length >= wholeSymbolFrom && orders.every(({ isInScope }) => isInScope) && holdsNothing(symbol);
  };
  const symbols = [...new Set(open.map(({ symbol }) => symbol))].filter(isWhole);
  const single = open.filter(({ symbol, isInScope }) => isInScope && !symbols.includes(symbol));
  return { symbols, single: single.map(({ clientOrderId }) => clientOrderId) };
}
