import { exitCodes, print } from './output.ts';
import { askPaperVenue } from './paper-control.ts';
import type { GlobalOptions } from './site.ts';

/** `ratchet sim clear`: ends every scenario and removes every fault rule. */
export async function run(options: GlobalOptions): Promise<number> {
  const cleared = await askPaperVenue<object>(options, 'POST', 'clear');
  print(options, cleared, ['The paper venue is well again.']);
  return exitCodes.done;
}
