import { decide } from './reconcile-decision.ts';
import type { GlobalOptions } from './site.ts';

/** `ratchet approve <correctionId>`. */
export const run = (options: GlobalOptions & { readonly reason: string }, correctionId: string): Promise<number> =>
  decide('approve', options, correctionId);
