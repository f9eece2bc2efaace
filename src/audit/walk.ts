import { type Digest, emptyTree, grow, leafOf, linkOf, origin, rootOf, type Tree } from './chain.ts';
import type { Claim } from './claims.ts';
import type { Finding } from './finding.ts';
import type { SealedRecord } from './log.ts';
import { createStory, type Story } from './story.ts';

/** Goes along the chain, record by record, and adds what it finds. `claims` are in the order of their sizes. */
export function createWalk(claims: readonly Claim[], findings: Finding[]) {
  const story = createStory();
  let seq = 0;
  let hash = origin;
  let count = 0;
  let tree = emptyTree;
  let leaves: Digest[] = [];
  let nextClaim = 0;
  let soundUpTo = 0;
  let clockSteps = 0;
  let recordedAt = '';
  // After the first bad record every later root is wrong too, and says nothing new.
  let isSound = true;

  const bad = (at: number, problem: string): void => {
    isSound = false;
    findings.push({ kind: 'tampered', seq: at, problem });
  };

  const growTree = (): void => {
    tree = grow(tree, leaves);
    leaves = [];
  };

  const passClaim = (claim: Claim): void => {
    growTree();
    const problem = claimProblem(claim, tree, hash);
    if (problem === undefined) soundUpTo = seq;
    else bad(soundUpTo + 1, `records ${soundUpTo + 1} to ${seq}: ${problem}`);
  };

  const passClaims = (): void => {
    for (let claim = claims[nextClaim]; claim !== undefined; claim = claims[nextClaim]) {
      if (claim.checkpoint.size > seq) return;
      nextClaim += 1;
      if (isSound && claim.checkpoint.size === seq) passClaim(claim);
    }
  };

  return {
    pass(record: SealedRecord): void {
      count += 1;
      const leaf = leafOf(record.body);
      const problem = placeProblem(record, seq, hash, leaf) ?? contentProblem(record, isSound ? story : undefined);
      if (problem !== undefined) bad(Math.min(record.seq, seq + 1), problem);
      seq = record.seq;
      hash = record.hash;
      if (isStepBack(recordedAt, record.recordedAt)) clockSteps += 1;
      recordedAt = record.recordedAt;
      if (isSound) leaves.push(leaf);
      if (leaves.length === leavesMax) growTree();
      passClaims();
    },
    end: () => ({ seq, hash, count, soundUpTo, clockSteps }),
  };
}

/**
 * Whether the database's clock was set back between two records. Not a fault of the record: numbers are its order, not
 * times. Records of transactions side by side may swap, by less than the longest of them takes.
 */
function isStepBack(before: string, after: string): boolean {
  // Times in one form compare as texts; only what looks wrong is worth reading.
  return after < before && Date.parse(before) - Date.parse(after) > sideBySideMs;
}
const sideBySideMs = 10_000;

/** So that a log without checkpoints is not held in memory as a whole. */
const leavesMax = 4_096;

function claimProblem({ checkpoint, peaks }: Claim, tree: Tree, hash: Digest): string | undefined {
  if (checkpoint.root !== rootOf(tree) || checkpoint.chain !== hash) return 'they are not those that were signed for';
  return peaks === undefined || peaks.join() === tree.peaks.join() ? undefined : 'their checkpoint has other peaks';
}

function placeProblem(record: SealedRecord, seq: number, hash: Digest, leaf: Digest): string | undefined {
  if (record.seq !== seq + 1) return `after ${seq} comes ${record.seq}`;
  if (record.leaf !== leaf) return 'its text is not the one that was sealed';
  if (record.prev !== hash) return 'it does not follow the record before it';
  return record.hash === linkOf(record.seq, hash, leaf) ? undefined : 'its hash is not that of its place';
}

function contentProblem(record: SealedRecord, story: Story | undefined): string | undefined {
  if (!hasItsStamp(record)) return 'its id, its insertion or its time are not those in its text';
  const body = bodyOf(record.body);
  if (body === undefined) return 'its text is no JSON object';
  // The columns beside the text are not hashed: they must say what it says.
  if (body.type !== record.eventType) return `its type column says ${record.eventType}`;
  if ((body.tradeId ?? null) !== record.tradeId) return `its trade column says ${record.tradeId}`;
  return story?.tell(body);
}

/** The places of what the database puts before a text: `{"_eventId":"…","_insertNo":…,"_recordedAt":"…",`. */
const idAt = '{"_eventId":"'.length;
const insertNoAt = idAt + 36 + '","_insertNo":'.length;

/** Whether the text begins with the columns beside it. Piece by piece: a text to compare with would cost as much as the hash. */
function hasItsStamp({ body, eventId, insertNo, recordedAt }: SealedRecord): boolean {
  const number = String(insertNo);
  const timeAt = insertNoAt + number.length;
  return (
    body.startsWith('{"_eventId":"') &&
    body.startsWith(eventId, idAt) &&
    body.startsWith('","_insertNo":', idAt + 36) &&
    body.startsWith(number, insertNoAt) &&
    body.startsWith(',"_recordedAt":"', timeAt) &&
    body.startsWith(recordedAt, timeAt + 16) &&
    body.startsWith('",', timeAt + 43)
  );
}

type Body = { readonly type: string; readonly tradeId?: string; readonly clientOrderId?: string };

function bodyOf(text: string): Body | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Body) : undefined;
  } catch {
    return undefined;
  }
}
