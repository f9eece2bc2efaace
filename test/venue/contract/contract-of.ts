import { describeExamples } from './documented.ts';
import { describeOutcomes } from './outcomes.ts';
import { aStage, type MakeVenue } from './stage.ts';
import { describeEvents } from './streamed.ts';

/**
 * What every adapter of this venue's dialect must do, whatever library it is made of: read the documented examples, and
 * make of every answer the one thing that it means.
 */
export function contractOf(name: string, makeVenue: MakeVenue): void {
  const stage = aStage(makeVenue);
  describeOutcomes(name, stage);
  describeExamples(name, stage);
  describeEvents(name, stage);
}
