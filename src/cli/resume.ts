import type { ApprovalView } from '../contracts/messages/views.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { holdsInForce } from '../store/trading-state/holds.ts';
import { resume } from '../store/trading-state/resuming.ts';
import { askerOf, type KeyOptions } from './asker.ts';
import { describeScope, type ScopeOptions, scopeOf } from './hold-scope.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions &
  ScopeOptions &
  KeyOptions & { readonly reason: string; readonly source: 'operator' | 'throttle' };

/** `ratchet resume`: lifts what people lift on the scope, or asks for it, and says what is still in force. */
export function run(options: Options): Promise<number> {
  return withDatabase(options, async (db, site) => {
    const { actor } = site;
    const { source, reason } = options;
    const scope = scopeOf(options);
    const nowMs = Date.now();
    const by = await askerOf(db, site, options, reason);
    const resumed = await resume(db, { scope, source, actor, reason, ...(by && { by }), nowMs });
    switch (resumed.outcome) {
      case 'requested':
        print(options, { approval: resumed.approval }, [
          `A second person has to approve: ${describeScope(scope)} is still held.`,
          ...approvalLines(resumed.approval),
        ]);
        return exitCodes.awaitsApproval;
      case 'needs-key':
        throw new RatchetError('RESUME_NEEDS_APPROVAL', { scope: describeScope(scope) });
      case 'lifted': {
        const remaining = await holdsInForce(db, nowMs);
        print(options, { hold: resumed.hold, remaining }, [
          `RESUMED: ${describeScope(scope)} (${resumed.hold.holdId})`,
          ...remaining.map(
            (hold) => `still held: ${describeScope(hold.scope)}, by ${hold.actor} (${hold.source}): ${hold.reason}`,
          ),
        ]);
        return exitCodes.done;
      }
      default:
        throw new RatchetError('HOLD_NOT_IN_FORCE', { scope: describeScope(scope), outcome: resumed.outcome });
    }
  });
}

/** What waits, and what another person types to approve it. */
export const approvalLines = (approval: ApprovalView): readonly string[] => [
  `${approval.approvalId}  ${approval.kind}  ${JSON.stringify(approval.request)}`,
  `  asked for by ${approval.voters.map(({ person, keyId }) => `${person} (key ${keyId})`).join(', ')}; ` +
    `until ${new Date(approval.expiresAtMs).toISOString()}`,
  `  ratchet approvals approve ${approval.approvalId} --hash ${approval.requestHash} --key-file FILE --reason TEXT`,
];
