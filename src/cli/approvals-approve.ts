import { RatchetError } from '../contracts/schemas/error-body.ts';
import { approve } from '../store/trading-state/resuming.ts';
import { askerOf, type KeyOptions } from './asker.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions & KeyOptions & { readonly reason: string; readonly hash: string };

/** `ratchet approvals approve`: the second person, with a key of their own. */
export function run(options: Options, approvalId: string): Promise<number> {
  return withDatabase(options, async (db, site) => {
    const by = await askerOf(db, site, options, options.reason);
    if (by === undefined) throw new RatchetError('APPROVAL_KEY_MISSING', { approvalId });
    const voted = await approve(db, { approvalId, requestHash: options.hash, by, nowMs: Date.now() });
    if (voted.outcome === 'refused') throw new RatchetError(voted.code, { approvalId });
    print(options, voted, [
      voted.outcome === 'applied'
        ? `APPROVED and carried out: ${voted.approval.kind} ${JSON.stringify(voted.approval.request)}`
        : `APPROVED; it waits for ${voted.approval.peopleNeeded - voted.approval.voters.length} more.`,
    ]);
    return voted.outcome === 'applied' ? exitCodes.done : exitCodes.awaitsApproval;
  });
}
