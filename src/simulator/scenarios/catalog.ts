import { accountScenarios } from './account-scenarios.ts';
import { marketScenarios } from './market-scenarios.ts';
import { requestScenarios } from './request-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { streamScenarios } from './stream-scenarios.ts';
import { venueScenarios } from './venue-scenarios.ts';

/** Everything that can be played against the venue, by name. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [...requestScenarios, ...venueScenarios, ...marketScenarios, ...streamScenarios, ...accountScenarios].map(
    (scenario) => [scenario.name, scenario],
  ),
);
