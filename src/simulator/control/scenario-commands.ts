import { scenarios } from '../scenarios/catalog.ts';
import { readValues, type Scenario } from '../scenarios/scenario.ts';
import { type Body, type Command, type Outcome, ok } from './command.ts';
import type { Stage } from './stage.ts';

/** The named scenarios that a person plays against the venue. */
export const scenarioCommands: Readonly<Record<string, Command>> = {
  'GET /__sim/scenarios': () => ok({ scenarios: [...scenarios.values()].map(shown) }),
  'POST /__sim/trigger': trigger,
};

const shown = ({ name, does, expect, parameters }: Scenario): object => ({
  name,
  does,
  expect,
  parameters: Object.entries(parameters).map(([each, { meaning, standard, allowed }]) => ({
    name: each,
    meaning,
    default: standard,
    allowed,
  })),
});

/** `{name, …parameters}`. */
function trigger(stage: Stage, { name, ...given }: Body): Outcome {
  const scenario = scenarios.get(String(name));
  if (!scenario) {
    return { status: 404, body: { problem: `no scenario ${String(name)}`, scenarios: [...scenarios.keys()] } };
  }
  scenario.run(stage, readValues(scenario, given));
  const { does, expect } = scenario;
  return ok({ name, does, expect, troubles: stage.troubles.list() });
}
