import { decimal } from '../../../src/domain/decimal.ts';
import type { SymbolFilters } from '../../../src/domain/filters.ts';
import { bookOf } from '../../../src/domain/limits/book.ts';
import { type EntryVerdict, evaluateEntry } from '../../../src/domain/limits/gate.ts';
import type { ControlName, LimitEvaluation } from '../../../src/domain/limits/limit.ts';
import { type Limits, type LimitsRead, paperLimits } from '../../../src/domain/limits/limits.ts';
import { type AskedEntry, proposeEntry } from '../../../src/domain/limits/proposal.ts';
import type { Exposure, HoldInForce, Snapshot } from '../../../src/domain/limits/snapshot.ts';

/** Ticks and steps of a hundredth, from 1 USDT on. */
export const someFilters = (changed: Partial<SymbolFilters> = {}): SymbolFilters => ({
  symbol: 'BTC/USDT',
  baseAsset: 'BTC',
  quoteAsset: 'USDT',
  isTrading: true,
  tickSize: decimal('0.01'),
  stepSize: decimal('0.01'),
  priceMin: decimal('0.01'),
  priceMax: null,
  quantityMin: decimal('0.01'),
  quantityMax: null,
  marketQuantityMax: decimal('1000'),
  notionalMin: decimal('1'),
  notionalMinAppliesToMarket: true,
  ...changed,
});

/** An account of 10,000 USDT that holds nothing, at a bitcoin price of 100. */
export const aSnapshot = (changed: Partial<Snapshot> = {}): Snapshot => ({
  nowMs: 1_000_000,
  currency: 'USDT',
  holds: [],
  breaker: { state: 'CLOSED', probesLeft: 0, probe: null, nextTransitionAtMs: null },
  recent: { identical: 0, entries: 0 },
  brake: null,
  equity: { amount: decimal('10000'), ageMs: 1_000, fault: null },
  book: bookOf([], {}),
  referencePrices: { 'BTC/USDT': { last: decimal('100'), ageMs: 100 } },
  filters: { 'BTC/USDT': someFilters(), 'ETH/USDT': someFilters(), 'BTC/EUR': someFilters() },
  ...changed,
});

export const anExposure = (changed: Partial<Exposure> = {}): Exposure => ({
  tradeId: 'other',
  symbol: 'BTC/USDT',
  side: 'long',
  quantity: decimal('10'),
  notional: decimal('1000'),
  unitDelta: decimal('1'),
  unitGamma: decimal('0'),
  ...changed,
});

/** The account with these positions. */
export const holding = (...exposures: Partial<Exposure>[]): Snapshot =>
  aSnapshot({ book: bookOf(exposures.map(anExposure), {}) });

export const aHold = (changed: Partial<HoldInForce> = {}): HoldInForce => ({
  scope: { kind: 'account', id: 'main' },
  source: 'operator',
  level: 'entries-blocked',
  reason: 'a look at the logs',
  ...changed,
});

export const withLimits = (changed: Partial<Limits>): LimitsRead => ({ ...paperLimits, ...changed });

type AskedLeg = AskedEntry['legs'][number];

export const aLeg = (changed: Partial<AskedLeg> = {}): AskedLeg => ({
  symbol: 'BTC/USDT',
  side: 'BUY',
  quantity: decimal('10'),
  unitDelta: decimal('1'),
  ...changed,
});

/** 10 bitcoin at a limit of 100, so 1,000 USDT, asked for a second ago. */
export const anEntry = (changed: Partial<AskedEntry> = {}): AskedEntry => ({
  legs: [aLeg()],
  entry: { type: 'LIMIT', price: decimal('100') },
  requestedAtMs: 999_000,
  validForMs: 10_000,
  ...changed,
});

export const decide = (
  asked: AskedEntry = anEntry(),
  snapshot: Snapshot = aSnapshot(),
  limits: LimitsRead = paperLimits,
): EntryVerdict => evaluateEntry(snapshot, proposeEntry(asked, snapshot, limits), limits);

/** What one control said; the first, where it said something of several symbols. */
export function saidBy(control: ControlName, { evaluations }: EntryVerdict): LimitEvaluation {
  const evaluation = evaluations.find((one) => one.control === control);
  if (evaluation === undefined) throw new Error(`${control} was not asked`);
  return evaluation;
}

/** Which controls deny, in order. */
export const deniedBy = ({ evaluations }: EntryVerdict): readonly ControlName[] =>
  evaluations.filter(({ allowed }) => !allowed).map(({ control }) => control);

/** A case of a control's table. Nothing denies but what `denied` names. */
export type ControlCase = {
  readonly name: string;
  readonly asked?: Partial<AskedEntry>;
  readonly snapshot?: Snapshot;
  readonly limits?: LimitsRead;
  readonly denied: readonly ControlName[];
};

/** An entry at a limit price. */
export const buying = (quantity: string, price = '100'): Partial<AskedEntry> => ({
  legs: [aLeg({ quantity: decimal(quantity) })],
  entry: { type: 'LIMIT', price: decimal(price) },
});

/** Limits that a test is not about. */
export const roomy = {
  portfolioDeltaMax: decimal('9'),
  symbolDeltaMax: decimal('9'),
  concentrationMax: decimal('9'),
  correlatedExposureMax: decimal('9'),
  orderNotionalMax: decimal('99999'),
};
