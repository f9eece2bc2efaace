import type { BreakerReading } from '../circuit-breaker.ts';
import type { Decimal } from '../decimal.ts';
import { invariant } from '../invariant.ts';
import { controls } from './controls.ts';
import type { LimitEvaluation } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import type { EntryLeg, EntryProposal } from './proposal.ts';
import type { Snapshot } from './snapshot.ts';

/** What the gate decided. `evaluations` lists every control, in order, whether it passed or not. */
export type EntryVerdict =
  | {
      readonly outcome: 'approved';
      readonly evaluations: readonly LimitEvaluation[];
      /** One a leg: what its reservation is counted at. */
      readonly prices: readonly Decimal[];
      /** It goes out as a probe of a breaker that is HALF_OPEN, and has to be reserved as one. */
      readonly probe: BreakerReading['probe'];
    }
  | { readonly outcome: 'denied'; readonly evaluations: readonly LimitEvaluation[] };

/**
 * Whether an entry may be placed. Evaluates every control; one that denies is enough. What is unknown denies, and so
 * does a limit that is not set, or limits that are missing altogether (null).
 */
export function evaluateEntry(snapshot: Snapshot, entry: EntryProposal, limits: LimitsRead | null): EntryVerdict {
  invariant(entry.legs.length > 0, 'an entry has a leg');
  const evaluations = controls.flatMap((control) => control.onEntry(snapshot, entry, limits ?? {}));
  if (evaluations.some(({ allowed }) => !allowed)) return { outcome: 'denied', evaluations };
  const probe = snapshot.breaker?.probe ?? null;
  return { outcome: 'approved', evaluations, prices: entry.legs.map(priceOf), probe };
}

function priceOf({ symbol, cost }: EntryLeg): Decimal {
  invariant(cost.isKnown, `an approved leg has a price, ${symbol} has none`);
  return cost.value.price;
}
