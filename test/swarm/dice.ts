import { type Random, seededRandom } from '../../src/simulator/random.ts';

/** The dice of a seed. The same seed throws the same, so a plan is known by its seed. */
export type Dice = Random & {
  /** From `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<Value>(values: readonly Value[]): Value;
  /** Each with the same probability, in their order. */
  some<Value>(values: readonly Value[], probability: number): readonly Value[];
};

export function diceOf(seed: number): Dice {
  const random = seededRandom(seed);
  const between = (least: number, most: number): number => least + random.below(most - least + 1);
  return {
    ...random,
    between,
    pick: (values) => values[random.below(values.length)] as (typeof values)[number],
    some: (values, probability) => values.filter(() => random.chance(probability)),
  };
}
