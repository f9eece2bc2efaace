import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SwarmPlan } from './layers.ts';

/** A plan that failed once: what it broke, and the commit that it broke it on. It is played ever after. */
export type KeptSeed = { readonly plan: SwarmPlan; readonly broke: readonly string[]; readonly commit: string };

const folder = fileURLToPath(new URL('../seeds/', import.meta.url));

export const keptSeeds = (): readonly (KeptSeed & { readonly name: string })[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => ({ name, ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as KeptSeed) }));

/** Gives the name of the file. */
export function keepSeed(seed: KeptSeed): string {
  const name = `${seed.plan.layer}-${seed.plan.seed}.json`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${JSON.stringify(seed, null, 2)}\n`);
  return name;
}
