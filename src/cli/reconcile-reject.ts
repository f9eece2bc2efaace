import { decide } from './reconcile-decision.ts';
import type { GlobalOptions } from './site.ts';

/** `ratchet reject <correctionId>`. */
export const run = (options: GlobalOptions & { readonly reason: string }, correctionId: string): Promise<number> =>
  decide('reject', options, correctionId);
