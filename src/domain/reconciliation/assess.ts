import { type Difference, isSameDifference, keyOf, type Part, partOf } from './difference.ts';
import type { Tolerances } from './tolerance.ts';

/** One comparison of the book with the venue. */
export type Look = {
  readonly differences: readonly Difference[];
  /** The parts that could not be read, each with the reason. They say nothing. */
  readonly unavailable: Readonly<Partial<Record<Part, string>>>;
};

/** A difference that is known: `revision` counts its contents. */
export type OpenDifference = {
  readonly differenceId: number;
  readonly revision: number;
  readonly difference: Difference;
};

export type Assessment = {
  readonly found: readonly Difference[];
  readonly changed: readonly { readonly before: OpenDifference; readonly now: Difference }[];
  readonly gone: readonly OpenDifference[];
  /** Seen in this look only: perhaps it was on its way between the venue and the book. */
  readonly unconfirmed: readonly Difference[];
};

/**
 * What a look makes of what is known. Something new counts only if the look before, some seconds earlier, saw the same,
 * unless one look is enough to be certain;
 * what is known and seen again makes nothing new; what is known and not seen is gone, if its part could be read.
 *
 * @param suspects What the look before saw and nobody knew; empty in the first look.
 * @param accepted Keys of differences that a person has taken note of: they are none any more.
 */
export function assess(
  look: Look,
  open: readonly OpenDifference[],
  suspects: readonly Difference[],
  accepted: ReadonlySet<string>,
  tolerances: Tolerances,
): Assessment {
  const known = new Map(open.map((each) => [keyOf(each.difference), each]));
  const seen = look.differences.filter((difference) => !accepted.has(keyOf(difference)));
  const news = seen.filter((difference) => {
    const before = known.get(keyOf(difference));
    return before === undefined || !isSameDifference(before.difference, difference, tolerances);
  });
  const isConfirmed = (difference: Difference): boolean =>
    isCertain(difference) || suspects.some((suspect) => isSameDifference(suspect, difference, tolerances));
  const confirmed = news.filter(isConfirmed);
  const seenKeys = new Set(seen.map(keyOf));
  return {
    found: confirmed.filter((difference) => !known.has(keyOf(difference))),
    changed: confirmed.flatMap((now) => {
      const before = known.get(keyOf(now));
      return before === undefined ? [] : [{ before, now }];
    }),
    gone: open.filter(
      ({ difference }) => !seenKeys.has(keyOf(difference)) && look.unavailable[partOf(difference)] === undefined,
    ),
    unconfirmed: news.filter((difference) => !isConfirmed(difference)),
  };
}

/**
 * Our intents are committed before their orders are sent, and fills never change on their way: neither is in flight. An
 * order that only its fills tell of may be one of ours whose answer is on its way, as only that tells us the venue's id.
 */
const isCertain = (difference: Difference): boolean =>
  difference.kind === 'changedFill' || (difference.kind === 'externalOrder' && difference.clientOrderId !== null);
