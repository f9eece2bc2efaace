import { randomBytes } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { whileBeating } from '../../activities/heartbeat.ts';
import type { Activities } from '../../activities/index.ts';
import type { EntryDecision } from '../../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import type {
  EntryProgressed,
  GuardChanged,
  GuardKind,
  OrderReported,
  PositionClosed,
  PositionInput,
} from '../../src/contracts/messages/messages.ts';
import type { BreakerView, StopView } from '../../src/contracts/messages/views.ts';
import { decimal, zero } from '../../src/domain/decimal.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { openTrailingStop, stepTrailingStop } from '../../src/domain/trailing-stop.ts';

export type Checked = Awaited<ReturnType<Activities['checkLimits']>>;

/** A trade of its own: nothing that another test has left can be meant. */
export const aTradeId = (): string => `t-${randomBytes(6).toString('hex')}`;

export const aRequest = (changed: Partial<EntryRequest> = {}): EntryRequest => ({
  tradeId: aTradeId(),
  account: 'main',
  strategy: 'ma-cross',
  venue: 'paper',
  legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: decimal('2'), unitDelta: decimal('1') }],
  entry: { type: 'MARKET' },
  exit: { stopLoss: { price: decimal('90') } },
  requestedAtMs: 1_795_262_400_000,
  validForMs: 10_000,
  ...changed,
});

export const aLimitEntry = (expireAfterMs?: number): EntryRequest['entry'] => ({
  type: 'LIMIT',
  price: decimal('100'),
  timeInForce: 'GTC',
  ...(expireAfterMs !== undefined && { expireAfterMs }),
});

const aDecision = (request: EntryRequest, outcome: EntryDecision['outcome']): EntryDecision => ({
  tradeId: request.tradeId,
  outcome,
  reasons: [],
  evaluations: [],
  decidedAtMs: 1_795_262_400_100,
});

export const approved = (request: EntryRequest): Checked => ({
  outcome: 'approved',
  decision: aDecision(request, 'approved'),
  request,
});

export const denied = (request: EntryRequest): Checked => ({
  outcome: 'denied',
  decision: {
    ...aDecision(request, 'denied'),
    reasons: [
      { code: 'TRADING_STATE_BLOCKED', message: 'A hold is in force.', remedy: 'Look up the hold.', context: {} },
    ],
  },
  request,
});

/** A report of the entry order: 2 BTC, by default nothing of it filled. */
export const aReport = (status: OrderReported['status'], changed: Partial<OrderReported> = {}): OrderReported => ({
  clientOrderId: 'r1-t-e1',
  purpose: 'entry',
  leg: 0,
  generation: 1,
  status,
  inDoubt: false,
  filledQuantity: zero,
  filledQuote: zero,
  fillsComplete: true,
  ...changed,
});

export const filledBy = (quantity: string, quote: string): Partial<OrderReported> => ({
  filledQuantity: decimal(quantity),
  filledQuote: decimal(quote),
});

export const closedTrade = (tradeId: string, changed: Partial<PositionClosed> = {}): PositionClosed => ({
  tradeId,
  symbol: 'BTC/USDT',
  side: 'long',
  exitReason: 'stopLoss',
  entryQuantity: decimal('2'),
  entryQuote: decimal('200'),
  exitQuantity: decimal('2'),
  exitQuote: decimal('180'),
  fees: decimal('0.38'),
  pnl: decimal('-20.38'),
  pnlAsset: 'USDT',
  dust: zero,
  closedAtMs: 1_795_262_460_000,
  ...changed,
});

/** A long position of 2 BTC to guard; with a stop loss unless said otherwise. */
export const aPosition = (exit: PositionInput['exit'] = { stopLoss: { price: decimal('90') } }): PositionInput => ({
  tradeId: aTradeId(),
  account: 'main',
  strategy: 'ma-cross',
  venue: 'paper',
  leg: 0,
  symbol: 'BTC/USDT',
  side: 'long',
  exit,
});

/** The entry's cumulative fills, at 100. */
export const entered = (entryQuantity: string, changed: Partial<EntryProgressed> = {}): EntryProgressed => ({
  entryQuantity: decimal(entryQuantity),
  entryQuote: decimal(`${Number(entryQuantity) * 100}`),
  isFinal: false,
  firstFillAtMs: 1_795_262_400_000,
  firstVenueTradeId: '118',
  ...changed,
});

/** A guard's price was crossed. */
export const crossed = (kind: GuardKind): GuardChanged => ({
  kind,
  version: 1,
  triggered: { price: decimal('89.5'), venueTradeId: '120', atMs: 1_795_262_430_000 },
});

/** A breaker that is closed. */
export const aBreakerView = (changed: Partial<BreakerView> = {}): BreakerView => ({
  scope: 'account-main',
  state: 'CLOSED',
  because: '0 failures in the window',
  failures: 0,
  openedAtMs: null,
  nextTransitionAtMs: null,
  holds: [],
  workingEntries: [],
  lastCommand: null,
  ...changed,
});

/** A promise that a test settles. */
export function aGate<T>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open: (value) => open(value) };
}

/** Makes activities that fail with `error` when they are asked for the first time. */
export const aFailureFirst =
  (error: Error) =>
  <T>(answer: () => Promise<T>): (() => Promise<T>) => {
    let hasFailed = false;
    return async () => {
      if (hasFailed) return answer();
      hasFailed = true;
      throw error;
    };
  };

/** An activity of the watches: it lasts until the test lets it go, or until it is canceled. */
export const watchUntil = <T>(letGo: Promise<T>, whenCanceled: T): Promise<T> =>
  whileBeating((signal) => {
    const canceled = new Promise<T>((resolve) => {
      signal.addEventListener('abort', () => resolve(whenCanceled));
    });
    return Promise.race([letGo, canceled]);
  });

/** What never happens. */
export const never = new Promise<never>(() => {});

/**
 * A local activity while the database is gone. Once it waits, it does so by a timer of the workflow, which hears
 * messages meanwhile; it answers with the first attempt after the database is back.
 */
export function aLongOutage<T>(answer: T): {
  activity(): Promise<T>;
  isWaitedFor(): boolean;
  end(): void;
} {
  let attempts = 0;
  let isOver = false;
  return {
    activity: async () => {
      attempts += 1;
      if (!isOver) throw new RatchetError('DATABASE_UNAVAILABLE');
      return answer;
    },
    isWaitedFor: () => attempts > 3,
    end: () => {
      isOver = true;
    },
  };
}

/** What the Temporal UI shows of a workflow: where a person on call looks first. */
export async function currentDetails(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }, []>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

/** The workflow's search attributes, each by its only value. */
export async function searchAttributesOf(handle: WorkflowHandle): Promise<Record<string, unknown>> {
  const { searchAttributes } = await handle.describe();
  return Object.fromEntries(Object.entries(searchAttributes).map(([name, values]) => [name, values?.[0]]));
}

const aTrailingRule: StopView['rules'] = {
  side: 'long',
  by: 'percent',
  distance: decimal('0.8'),
  activationPrice: null,
  tickSize: null,
  minimumMovePercent: null,
  extremeFrom: 'activation',
};

/** A trailing stop of a long position, as the book has it once it is armed at 100. */
export const aStopView = (tradeId: string, changed: Partial<StopView> = {}): StopView => ({
  tradeId,
  version: 1,
  rules: aTrailingRule,
  stop: openTrailingStop(aTrailingRule, decimal('100')),
  triggeredAtPrice: null,
  ...changed,
});

/** What the market watch tells while the price goes along `prices`, each time the stop has changed. */
export function storyOf(prices: readonly string[], from = aStopView('any')): readonly GuardChanged[] {
  let { stop } = from;
  return prices.flatMap((price, i) => {
    const step = stepTrailingStop(from.rules, stop, decimal(price));
    stop = step.stop;
    if (step.action !== 'moved' && step.action !== 'triggered') return [];
    const triggered = { price: decimal(price), venueTradeId: String(i), atMs: 1_795_262_400_000 + i };
    return [{ kind: 'trailingStop', version: 1, stop, ...(step.action === 'triggered' && { triggered }) } as const];
  });
}

/** The history's events by their names, such as `timerStarted`. */
export async function eventNamesOf(handle: WorkflowHandle): Promise<readonly string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).map((event) => {
    const name = Object.keys(event).find((key) => key.endsWith('EventAttributes') && key in event) ?? '';
    return name.replace(/EventAttributes$/, '');
  });
}
