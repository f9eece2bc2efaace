/** How a seed ended. `faults` are sentences, each a promise that was broken; none is a seed that passed. */
export type Played = {
  readonly faults: readonly string[];
  /** Orders that reached the venue's door, sends again included. */
  readonly submissions: number;
  /** Of them, those sent while a fault or a strike was armed for their trade. */
  readonly armed: number;
  /** Of them, those whose own request a fault struck. */
  readonly struck: number;
  /** What was seen and is no fault. */
  readonly remarks?: readonly string[];
};
