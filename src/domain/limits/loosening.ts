import { isMore } from '../decimal.ts';
import type { Limits, LimitsRead } from './limits.ts';

type Amount = Exclude<keyof Limits, 'options' | 'equityAgeMsMax' | 'priceAgeMsMax' | 'totalExposureCap'>;

const amounts: readonly Amount[] = [
  'portfolioDeltaMax',
  'portfolioGammaMax',
  'symbolDeltaMax',
  'concentrationMax',
  'correlatedExposureMax',
  'orderNotionalMax',
];
const ages = ['equityAgeMsMax', 'priceAgeMsMax'] as const;

/**
 * The limits that let more through than before, by name. A limit that was not set denied everything, so setting it
 * loosens; taking one away only tightens. How limits are measured (`options`) can't be compared, so any change of it
 * counts as loosening.
 */
export function loosenedLimits(before: LimitsRead, after: LimitsRead): readonly (keyof Limits)[] {
  return [
    ...amounts.filter((name) => isLooser(before[name], after[name], isMore)),
    ...(isCapLooser(before.totalExposureCap, after.totalExposureCap) ? (['totalExposureCap'] as const) : []),
    ...ages.filter((name) => isLooser(before[name], after[name], (a, b) => a > b)),
    ...(isSameOptions(before.options, after.options) ? [] : (['options'] as const)),
  ];
}

/** The new limits with every loosened one as it was: what needs nobody's approval. */
export function onlyTightened(before: LimitsRead, after: LimitsRead): LimitsRead {
  const kept = new Set<string>(loosenedLimits(before, after));
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof Limits>;
  const entries = [...names].map((name) => [name, kept.has(name) ? before[name] : after[name]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as LimitsRead;
}

function isLooser<T>(before: T | undefined, after: T | undefined, isMoreThan: (a: T, b: T) => boolean): boolean {
  if (after === undefined) return false;
  return before === undefined || isMoreThan(after, before);
}

/** Null = there is no cap. */
function isCapLooser(before: LimitsRead['totalExposureCap'], after: LimitsRead['totalExposureCap']): boolean {
  if (after === undefined || before === null) return false;
  return before === undefined || after === null || isMore(after, before);
}

const isSameOptions = (before: LimitsRead['options'], after: LimitsRead['options']): boolean =>
  JSON.stringify(sorted(before ?? {})) === JSON.stringify(sorted(after ?? {}));

const sorted = (value: object): unknown =>
  Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => [name, typeof each === 'object' && each !== null ? sorted(each) : each]);
