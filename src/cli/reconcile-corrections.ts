import type { CorrectionView } from '../contracts/messages/reconciliation.ts';
import { readCorrections } from '../store/reconciliation/corrections.ts';
import { exitCodes, print, utc } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

/** `ratchet corrections`: what waits for a decision, then what became of the others. */
export function run(options: GlobalOptions & { readonly limit: number }): Promise<number> {
  return withDatabase(options, async (db, { account }) => {
    const corrections = await readCorrections(db, { account, limit: options.limit });
    const lines = corrections.length === 0 ? ['There are no corrections.'] : corrections.flatMap(describeCorrection);
    print(options, { corrections }, lines);
    return exitCodes.done;
  });
}

/** A correction in a few lines: what differs, what its approval does, how it stands. */
export const describeCorrection = (correction: CorrectionView): readonly string[] => [
  `${correction.correctionId}  ${correction.state}  ${utc(correction.proposedAtMs)}`,
  `  ${correction.description}`,
  `  approved: ${correction.effect}`,
  correction.settledAtMs === null
    ? `  waits until ${utc(correction.expiresAtMs)}`
    : `  ${utc(correction.settledAtMs)} ${correction.actor === null ? '' : `by ${correction.actor}: ${correction.reason}`}`,
];
