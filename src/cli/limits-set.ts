import { readLimitsFile } from '../config/limits-file.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { changeLimits } from '../store/trading-state/resuming.ts';
import { askerOf, type KeyOptions } from './asker.ts';
import { exitCodes, print } from './output.ts';
import { approvalLines } from './resume.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions & KeyOptions & { readonly reason: string; readonly account?: string };

/** `ratchet limits set`: puts the limits of a file in force, or asks a second person for what they loosen. */
export function run(options: Options, file: string): Promise<number> {
  const limits = readLimitsFile(file);
  return withDatabase(options, async (db, site) => {
    const { reason, account = site.account } = options;
    const by = await askerOf(db, site, options, reason);
    const nowMs = Date.now();
    const changed = await changeLimits(db, { account, limits, reason, actor: site.actor, ...(by && { by }), nowMs });
    switch (changed.outcome) {
      case 'requested':
        print(options, changed, [
          `What was tightened is in force. A second person has to approve ${changed.loosened.join(', ')}:`,
          ...approvalLines(changed.approval),
        ]);
        return exitCodes.awaitsApproval;
      case 'needs-key':
        throw new RatchetError('LIMITS_NEED_APPROVAL', { account, loosened: changed.loosened.join(', ') });
      case 'unknown-account':
        throw new RatchetError('ACCOUNT_UNKNOWN', { account });
      default:
        print(options, changed, [`limits of ${account}: ${changed.outcome}`]);
        return exitCodes.done;
    }
  });
}
