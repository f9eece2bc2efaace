import { exitCodes, print } from './output.ts';
import { askPaperVenue, type PlannedRule, type Trouble, troubleLines } from './paper-control.ts';
import type { GlobalOptions } from './site.ts';

/** `ratchet sim show`: what is wrong at the paper venue, and what the fault rules have struck. */
export async function run(options: GlobalOptions): Promise<number> {
  const { troubles } = await askPaperVenue<{ troubles: readonly Trouble[] }>(options, 'GET', 'state');
  const { rules } = await askPaperVenue<{ rules: readonly PlannedRule[] }>(options, 'GET', 'plan');
  print(options, { troubles, rules }, [...troubleLines(troubles), ...rules.map(lineOf)]);
  return exitCodes.done;
}

const lineOf = ({ id, phase, do: { action }, matched, struck, times }: PlannedRule): string => {
  const isSpent = times !== undefined && struck >= times;
  return `rule ${id}: ${action} at ${phase}; struck ${struck} of ${matched} that matched${isSpent ? ', and is spent' : ''}`;
};
