import { randomUUID } from 'node:crypto';
import type { EventType } from '../../contracts/messages/events.ts';
import type { ApprovalView } from '../../contracts/messages/views.ts';
import { approvalLastsMs, judgeVote, type VoteFault, type Voter } from '../../domain/approval.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { hashOf } from '../canonical.ts';
import type { Db, Tx } from '../database.ts';
import { record } from '../record.ts';

/** Who asks or approves: the key proves it, the rest is for the record. */
export type Asker = Voter & { readonly reason: string };

/** How many people it takes to lift a halt or loosen a limit; 1 until the set-up has said otherwise. */
export async function peopleNeeded(db: Db): Promise<number> {
  const row = await db.selectFrom('approval_policy').select('people_needed').executeTakeFirst();
  return row?.people_needed ?? 1;
}

/** Keeps what the configuration asks for where every process, and nobody's environment, decides by it. */
export function setApprovalPolicy(
  db: Db,
  { peopleNeeded: needed, nowMs }: { readonly peopleNeeded: number; readonly nowMs: number },
): Promise<void> {
  return db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom('approval_policy')
      .select(['people_needed', 'version'])
      .forUpdate()
      .executeTakeFirst();
    if (before?.people_needed === needed) return;
    const version = (before?.version ?? 0) + 1;
    await tx
      .insertInto('approval_policy')
      .values({ people_needed: needed, version })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ people_needed: needed, version }))
      .execute();
    await record(tx, {
      type: 'ApprovalPolicySet',
      key: [version],
      atMs: nowMs,
      actor: { type: 'system', id: 'setup' },
      data: { before: before?.people_needed ?? null, peopleNeeded: needed },
    });
  });
}

type Kind = ApprovalView['kind'];

/** Writes down what waits for more people, with who asks as the first of them. */
export async function openApproval(
  tx: Tx,
  asked: {
    readonly kind: Kind;
    readonly request: Readonly<Record<string, unknown>>;
    readonly needed: number;
    readonly by: Asker;
    readonly nowMs: number;
  },
): Promise<ApprovalView> {
  const { kind, request, by, nowMs } = asked;
  const approvalId = `approval-${randomUUID()}`;
  const row = {
    approval_id: approvalId,
    kind,
    request: JSON.stringify(request),
    request_hash: hashOf({ kind, request }),
    people_needed: asked.needed,
    requested_at_ms: nowMs,
    expires_at_ms: nowMs + approvalLastsMs,
  };
  await tx.insertInto('approval').values(row).execute();
  await insertVote(tx, approvalId, by, nowMs);
  await recordVote(tx, requested[kind], { approvalId, request }, by, nowMs);
  return (await readApproval(tx, approvalId)) as ApprovalView;
}

const requested: Record<Kind, EventType> = { resume: 'ResumeRequested', limits: 'LimitChangeRequested' };
const approved: Record<Kind, EventType> = { resume: 'ResumeApproved', limits: 'LimitChangeApproved' };

/** Why an approval is refused: its own faults, a key behind it, or what it was to do can't be done any more. */
export type ApprovalRefusal = VoteFault | 'APPROVAL_UNKNOWN' | 'APPROVAL_KEY_REFUSED' | 'HOLD_NOT_IN_FORCE';

export type Voted<Result> =
  | { readonly outcome: 'refused'; readonly code: ApprovalRefusal }
  | { readonly outcome: 'waiting'; readonly approval: ApprovalView }
  | { readonly outcome: 'applied'; readonly approval: ApprovalView; readonly result: Result };

/**
 * Counts one person's approval. With the last one that is needed the request is carried out in the same transaction, once,
 * if every key behind it may still operate. What is refused is recorded and changes nothing.
 */
export function castVote<Result>(
  db: Db,
  vote: {
    readonly approvalId: string;
    /** Of the request as the voter has seen it. */
    readonly requestHash: string;
    readonly by: Asker;
    readonly nowMs: number;
  },
  carryOut: (tx: Tx, approval: ApprovalView) => Promise<Result | { readonly refused: ApprovalRefusal }>,
): Promise<Voted<Result>> {
  const { approvalId, requestHash, by, nowMs } = vote;
  const refuse = async (tx: Tx, code: ApprovalRefusal): Promise<Voted<Result>> => {
    await recordDenied(tx, { code, what: `approve ${approvalId}`, by, nowMs });
    return { outcome: 'refused', code };
  };
  return db.transaction().execute(async (tx) => {
    await tx.selectFrom('approval').select('kind').where('approval_id', '=', approvalId).forUpdate().execute();
    const known = await readApproval(tx, approvalId);
    if (known === undefined) return refuse(tx, 'APPROVAL_UNKNOWN');
    const judged = judgeVote(
      { ...known, needed: known.peopleNeeded, isApplied: known.appliedAtMs !== null },
      { ...by, requestHash, atMs: nowMs },
    );
    if (judged.outcome === 'refused') return refuse(tx, judged.code);
    if (!(await mayAllOperate(tx, [...known.voters, by]))) return refuse(tx, 'APPROVAL_KEY_REFUSED');
    if (judged.missing > 0) {
      await insertVote(tx, approvalId, by, nowMs);
      await recordVote(tx, approved[known.kind], known, by, nowMs);
      return { outcome: 'waiting', approval: (await readApproval(tx, approvalId)) as ApprovalView };
    }
    const result = await carryOut(tx, { ...known, voters: [...known.voters, { ...by, votedAtMs: nowMs }] });
    if (isRefusal(result)) return refuse(tx, result.refused);
    await insertVote(tx, approvalId, by, nowMs);
    await recordVote(tx, approved[known.kind], known, by, nowMs);
    await tx.updateTable('approval').set({ applied_at_ms: nowMs }).where('approval_id', '=', approvalId).execute();
    return { outcome: 'applied', approval: (await readApproval(tx, approvalId)) as ApprovalView, result };
  });
}

const isRefusal = (result: unknown): result is { readonly refused: ApprovalRefusal } =>
  typeof result === 'object' && result !== null && 'refused' in result;

/** What waits for somebody, the oldest first. */
export async function waitingApprovals(db: Db, nowMs: number): Promise<readonly ApprovalView[]> {
  const rows = await db
    .selectFrom('approval')
    .select('approval_id')
    .where('applied_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .orderBy('requested_at_ms')
    .execute();
  const read = await Promise.all(rows.map(({ approval_id }) => readApproval(db, approval_id)));
  return read.filter((approval) => approval !== undefined);
}

/** The request with everybody who stands behind it, or undefined. */
export async function readApproval(db: Db, approvalId: string): Promise<ApprovalView | undefined> {
  const row = await db.selectFrom('approval').selectAll().where('approval_id', '=', approvalId).executeTakeFirst();
  if (row === undefined) return undefined;
  const voters = await db
    .selectFrom('approval_vote')
    .select(['key_id as keyId', 'person', 'reason', 'voted_at_ms as votedAtMs'])
    .where('approval_id', '=', approvalId)
    .orderBy('voted_at_ms')
    .execute();
  return {
    approvalId,
    kind: row.kind,
    request: row.request,
    requestHash: row.request_hash,
    peopleNeeded: row.people_needed,
    voters,
    requestedAtMs: row.requested_at_ms,
    expiresAtMs: row.expires_at_ms,
    appliedAtMs: row.applied_at_ms,
  };
}

/** Records that somebody was not allowed to. Who it was is what is known of them. */
export const recordDenied = (
  tx: Tx,
  denied: { readonly code: ErrorCode; readonly what: string; readonly by: Partial<Asker>; readonly nowMs: number },
): Promise<void> => {
  const { code, what, by, nowMs } = denied;
  return record(tx, {
    type: 'AuthzDenied',
    // A person may try as often as they like, and each time is an event.
    key: [randomUUID()],
    atMs: nowMs,
    actor: { type: 'user', id: by.person ?? 'unknown' },
    data: { code, what, keyId: by.keyId, reason: by.reason },
  });
};

async function insertVote(tx: Tx, approvalId: string, { keyId, person, reason }: Asker, nowMs: number): Promise<void> {
  await tx
    .insertInto('approval_vote')
    .values({ approval_id: approvalId, key_id: keyId, person, reason, voted_at_ms: nowMs })
    .execute();
}

const recordVote = (
  tx: Tx,
  type: EventType,
  { approvalId, request }: Pick<ApprovalView, 'approvalId' | 'request'>,
  { keyId, person, reason }: Asker,
  nowMs: number,
): Promise<void> =>
  record(tx, {
    type,
    key: [approvalId, keyId],
    atMs: nowMs,
    actor: { type: 'user', id: person },
    data: { approvalId, request, keyId, reason },
  });

/** Rights are looked at when they are used: a key that was revoked since it asked counts no more. */
async function mayAllOperate(tx: Tx, voters: readonly Voter[]): Promise<boolean> {
  const rows = await tx
    .selectFrom('api_key')
    .select('scopes')
    .where(
      'key_id',
      'in',
      voters.map(({ keyId }) => keyId),
    )
    .where('revoked_at_ms', 'is', null)
    .execute();
  return rows.length === voters.length && rows.every(({ scopes }) => scopes.includes('operate'));
}
