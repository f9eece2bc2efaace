import { waitingApprovals } from '../store/trading-state/approvals.ts';
import { exitCodes, print } from './output.ts';
import { approvalLines } from './resume.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

/** `ratchet approvals list`: what waits for a second person. */
export function run(options: GlobalOptions): Promise<number> {
  return withDatabase(options, async (db) => {
    const approvals = await waitingApprovals(db, Date.now());
    print(options, { approvals }, approvals.length === 0 ? ['Nothing waits.'] : approvals.flatMap(approvalLines));
    return exitCodes.done;
  });
}
