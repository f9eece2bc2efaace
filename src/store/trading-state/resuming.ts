import type { HoldScope } from '../../contracts/messages/messages.ts';
import type { ApprovalView, HoldView } from '../../contracts/messages/views.ts';
import type { LimitsRead } from '../../domain/limits/limits.ts';
import { loosenedLimits, onlyTightened } from '../../domain/limits/loosening.ts';
import { runOnce } from '../commands.ts';
import type { Db, Tx } from '../database.ts';
import { lockLimits, writeLimits } from './accounts.ts';
import {
  type ApprovalRefusal,
  type Asker,
  castVote,
  openApproval,
  peopleNeeded,
  recordDenied,
  type Voted,
} from './approvals.ts';
import { type HoldLifted, type Lift, liftIn, lockHold, type PeoplesSource } from './holds.ts';

/** Who may ask with a key; without one it is somebody who says a name, which is enough where one person is. */
type Person = { readonly actor: string; readonly by?: Asker };

export type Resumed =
  | HoldLifted
  /** It waits for another person. */
  | { readonly outcome: 'requested'; readonly approval: ApprovalView }
  /** Two people are needed, and nobody has proved to be one: see RESUME_NEEDS_APPROVAL. */
  | { readonly outcome: 'needs-key' };

/**
 * Lifts what people or the throttle have set on a scope, or writes down that somebody asks for it, where the policy of
 * the stack wants another person. What is asked for is bound to the hold as it is now: set again, it needs a new request.
 */
export function resume(
  db: Db,
  asked: Lift<PeoplesSource> & Person & { readonly commandId?: string; readonly nowMs: number },
): Promise<Resumed> {
  const { commandId, nowMs, by, ...body } = asked;
  return runOnce<Resumed>(db, { commandId, kind: 'resume', body, nowMs }, async (tx) => {
    const needed = await peopleNeeded(tx);
    if (needed <= 1) return liftIn(tx, asked, nowMs);
    const { scope, source, reason } = asked;
    if (by === undefined) {
      const what = `resume ${scope.kind} ${scope.id}`;
      await recordDenied(tx, { code: 'RESUME_NEEDS_APPROVAL', what, by: { person: asked.actor, reason }, nowMs });
      return { outcome: 'needs-key' };
    }
    const hold = await lockHold(tx, scope, source);
    if (hold === undefined) return { outcome: 'none' };
    if (asked.version !== undefined && asked.version !== hold.version) return { outcome: 'changed', hold };
    const request: ResumeRequest = { scope, source, version: hold.version, actor: asked.actor, reason };
    return { outcome: 'requested', approval: await openApproval(tx, { kind: 'resume', request, needed, by, nowMs }) };
  });
}

export type LimitsChanged =
  | { readonly outcome: 'changed' | 'unchanged' }
  /** What was tightened is in force; the rest waits for another person, or for somebody who proves to be one. */
  | { readonly outcome: 'requested'; readonly loosened: readonly string[]; readonly approval: ApprovalView }
  | { readonly outcome: 'needs-key'; readonly loosened: readonly string[] }
  | { readonly outcome: 'unknown-account' };

/** Changes the limits of an account: what tightens at once, what loosens with as many people as the policy wants. */
export function changeLimits(
  db: Db,
  asked: {
    readonly account: string;
    readonly limits: LimitsRead;
    readonly reason: string;
    readonly nowMs: number;
  } & Person,
): Promise<LimitsChanged> {
  const { account, limits, actor, by, nowMs } = asked;
  return db.transaction().execute(async (tx) => {
    const known = await lockLimits(tx, account);
    if (known === undefined) return { outcome: 'unknown-account' };
    const before = (known.limits ?? {}) as LimitsRead;
    const needed = await peopleNeeded(tx);
    const loosened = needed <= 1 ? [] : loosenedLimits(before, limits);
    const user = { type: 'user', id: actor } as const;
    const change = {
      account,
      limits: loosened.length === 0 ? limits : onlyTightened(before, limits),
      actor: user,
      nowMs,
    };
    const written = await writeLimits(tx, change);
    if (loosened.length === 0) return { outcome: written.isChanged ? 'changed' : 'unchanged' };
    if (by === undefined) {
      const what = `loosen ${loosened.join(', ')} of ${account}`;
      await recordDenied(tx, {
        code: 'LIMITS_NEED_APPROVAL',
        what,
        by: { person: actor, reason: asked.reason },
        nowMs,
      });
      return { outcome: 'needs-key', loosened };
    }
    const request: LimitsRequest = { account, limits, loosened, version: written.limitsVersion, actor };
    return {
      outcome: 'requested',
      loosened,
      approval: await openApproval(tx, { kind: 'limits', request, needed, by, nowMs }),
    };
  });
}

/** What was asked for, as it is bound by its hash. */
type ResumeRequest = {
  readonly scope: HoldScope;
  readonly source: PeoplesSource;
  readonly version: string;
  readonly actor: string;
  readonly reason: string;
};
type LimitsRequest = {
  readonly account: string;
  readonly limits: LimitsRead;
  readonly loosened: readonly string[];
  readonly version: number;
  readonly actor: string;
};

/** What became of a request that was approved: the hold that was lifted, or the limits' new version. */
export type Applied = { readonly hold: HoldView } | { readonly limitsVersion: number };

/** One more person for a request. With the last that is needed, it is carried out. */
export const approve = (
  db: Db,
  vote: { readonly approvalId: string; readonly requestHash: string; readonly by: Asker; readonly nowMs: number },
): Promise<Voted<Applied>> =>
  castVote<Applied>(db, vote, (tx, approval) =>
    approval.kind === 'resume' ? applyResume(tx, approval, vote.nowMs) : applyLimits(tx, approval, vote.nowMs),
  );

type Refused = { readonly refused: ApprovalRefusal };

async function applyResume(tx: Tx, approval: ApprovalView, nowMs: number): Promise<Applied | Refused> {
  const request = approval.request as ResumeRequest;
  const approvals = approval.voters.map(({ keyId, person }) => ({ keyId, person }));
  const lifted = await liftIn(tx, request, nowMs, approvals);
  if (lifted.outcome === 'lifted') return { hold: lifted.hold };
  return { refused: lifted.outcome === 'none' ? 'HOLD_NOT_IN_FORCE' : 'APPROVAL_CHANGED' };
}

async function applyLimits(tx: Tx, approval: ApprovalView, nowMs: number): Promise<Applied | Refused> {
  const { account, limits, version, actor } = approval.request as LimitsRequest;
  const known = await lockLimits(tx, account);
  // Approved was a step from what was in force then; from other limits it is another step.
  if (known?.limitsVersion !== version) return { refused: 'APPROVAL_CHANGED' };
  const user = { type: 'user', id: actor } as const;
  const { limitsVersion } = await writeLimits(tx, { account, limits, actor: user, nowMs, approvals: approval.voters });
  return { limitsVersion };
}
