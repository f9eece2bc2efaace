/** A seeded source of dice. The same seed throws the same numbers on every machine: only 32-bit integers inside. */
export type Random = {
  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
};

/** Mulberry32 (public domain, T. Ettinger): one word of state, passes gjrand; ample for prices and faults. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  };
  return {
    below: (bound) => Math.floor((next() / 2 ** 32) * bound),
    chance: (probability) => next() / 2 ** 32 < probability,
  };
}
