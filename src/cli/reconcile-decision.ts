import { decideCorrection } from '../client/reconciliation.ts';
import { readCorrection } from '../store/reconciliation/corrections.ts';
import { exitCodes, print } from './output.ts';
import { describeCorrection } from './reconcile-corrections.ts';
import { type GlobalOptions, withDatabase } from './site.ts';
import { withTemporal } from './temporal.ts';

type Options = GlobalOptions & { readonly reason: string };

/** Has a correction applied, or leaves the book as it is; done once this returns. */
export function decide(verdict: 'approve' | 'reject', options: Options, correctionId: string): Promise<number> {
  return withDatabase(options, (db, site) =>
    withTemporal(site, async (temporal) => {
      const settled = await decideCorrection(
        { correctionId, verdict, actor: site.actor, reason: options.reason },
        { temporal, readCorrection: () => readCorrection(db, correctionId) },
      );
      print(options, settled, describeCorrection(settled));
      return exitCodes.done;
    }),
  );
}
