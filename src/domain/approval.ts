/**
 * What one person alone may not do: lift a halt or loosen a limit where two are asked for. The request is bound to its
 * hash, ends after fifteen minutes, and is carried out once, when enough different people with different keys stand
 * behind it.
 */
export type Approval = {
  readonly requestHash: string;
  /** People needed, whoever asks included. */
  readonly needed: number;
  readonly voters: readonly Voter[];
  readonly expiresAtMs: number;
  readonly isApplied: boolean;
};

/** A key is what proves who somebody is; the name is what they call themselves beside it. */
export type Voter = { readonly keyId: string; readonly person: string };

export type Vote = Voter & {
  /** Of the request as the voter has seen it. */
  readonly requestHash: string;
  readonly atMs: number;
};

/** Why a vote does not count: codes of the error catalog. */
export type VoteFault = 'APPROVAL_USED' | 'APPROVAL_EXPIRED' | 'APPROVAL_CHANGED' | 'APPROVAL_SAME_PERSON';

export type VoteOutcome =
  | { readonly outcome: 'refused'; readonly code: VoteFault }
  /** It counts; `missing` more people are needed, and with none missing the request is carried out. */
  | { readonly outcome: 'counts'; readonly missing: number };

/** From the request on, so long may people think about it. */
export const approvalLastsMs = 15 * 60_000;

/** Whether a vote counts. A used request is used for ever, so that nobody carries it out twice. */
export function judgeVote(approval: Approval, vote: Vote): VoteOutcome {
  if (approval.isApplied) return refused('APPROVAL_USED');
  if (vote.atMs >= approval.expiresAtMs) return refused('APPROVAL_EXPIRED');
  if (vote.requestHash !== approval.requestHash) return refused('APPROVAL_CHANGED');
  if (approval.voters.some((voter) => isSame(voter, vote))) return refused('APPROVAL_SAME_PERSON');
  return { outcome: 'counts', missing: Math.max(0, approval.needed - approval.voters.length - 1) };
}

/** The same key is the same person, and so is the same name under two keys. */
const isSame = (one: Voter, other: Voter): boolean =>
  one.keyId === other.keyId || one.person.trim().toLowerCase() === other.person.trim().toLowerCase();

const refused = (code: VoteFault): VoteOutcome => ({ outcome: 'refused', code });
