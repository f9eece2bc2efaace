import { classify, classifyCancel, type OutcomeClass, type VenueSignal } from './outcome.ts';

type Refusal = { readonly code: number; readonly message: string };

/** What the venue says of one half of a replacement. `matches` is true when a SUCCESS describes our very order. */
export type ReplaceHalf =
  | { readonly result: 'SUCCESS'; readonly matches: boolean }
  | { readonly result: 'FAILURE'; readonly refusal: Refusal | null }
  | { readonly result: 'NOT_ATTEMPTED' };

/** The halves, where the answer names them: it does so whatever its status is. */
export type ReplaceHalves = { readonly cancel: ReplaceHalf; readonly placement: ReplaceHalf };

export type ReplaceOutcome = { readonly canceled: OutcomeClass; readonly placed: OutcomeClass };

/**
 * The outcomes of one attempt to put an order in another's place, each half by what the venue says of that half. Where
 * it says nothing, the answer as a whole decides; only of the cancel a 429 then decides nothing, because the limit that
 * stopped the new order may have been met after the old one was gone. A 5xx leaves both UNKNOWN, as everywhere.
 */
export function classifyReplace(signal: VenueSignal, halves: ReplaceHalves | null): ReplaceOutcome {
  const isAnswered = signal.kind === 'http' && (signal.status < 300 || (signal.status >= 400 && signal.status < 500));
  if (halves !== null && isAnswered) {
    return { canceled: classOfHalf(halves.cancel, classifyCancel), placed: classOfHalf(halves.placement, classify) };
  }
  const isLimited = signal.kind === 'http' && signal.status === 429;
  return { canceled: isLimited ? 'UNKNOWN' : classifyCancel(signal), placed: classify(signal) };
}

function classOfHalf(half: ReplaceHalf, judge: (signal: VenueSignal) => OutcomeClass): OutcomeClass {
  switch (half.result) {
    case 'SUCCESS':
      return half.matches ? 'ACCEPTED' : 'UNKNOWN';
    case 'FAILURE':
      return half.refusal === null ? 'UNKNOWN' : judge({ kind: 'http', status: 400, ...half.refusal });
    case 'NOT_ATTEMPTED':
      return 'NOT_SENT';
  }
}
