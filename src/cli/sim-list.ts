import { exitCodes, print } from './output.ts';
import { askPaperVenue } from './paper-control.ts';
import { flagOf } from './sim-trigger.ts';
import type { GlobalOptions } from './site.ts';

type Parameter = {
  readonly name: string;
  readonly meaning: string;
  readonly default: string | number;
  readonly allowed: string;
};

type Scenario = {
  readonly name: string;
  readonly does: string;
  readonly expect: string;
  readonly parameters: readonly Parameter[];
};

/** `ratchet sim list`: what can be played against the paper venue. */
export async function run(options: GlobalOptions): Promise<number> {
  const { scenarios } = await askPaperVenue<{ scenarios: readonly Scenario[] }>(options, 'GET', 'scenarios');
  print(options, scenarios, scenarios.flatMap(linesOf));
  return exitCodes.done;
}

const linesOf = ({ name, does, expect, parameters }: Scenario): readonly string[] => [
  name,
  `  at the venue: ${does}`,
  `  at Ratchet:   ${expect}`,
  ...parameters.map((each) => `  ${flagOf(each.name)}  ${each.meaning}: ${each.allowed} (${each.default || 'none'})`),
];
