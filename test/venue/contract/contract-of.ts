import { describeExamples } from './documented.ts';
import { describeOutcomes } from './outcomes.ts';
import { aStage, type MakeVenue } from './stage.ts';
import { describeEvents } from './streamed.ts';

export type ContractOptions = {
  /** An adapter whose library can't put an order in another's place in one request is excused from that. */
  readonly replaces?: boolean;
};

/**
 * What every adapter of this venue's dialect must do, whatever library it is made of: read the documented examples, and
 * make of every answer the one thing that it means.
 */
export function contractOf(name: string, makeVenue: MakeVenue, { replaces = true }: ContractOptions = {}): void {
  const stage = aStage(makeVenue);
  describeOutcomes(name, stage, replaces);
  describeExamples(name, stage);
  describeEvents(name, stage);
}
