import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Approval, approvalLastsMs, judgeVote, type Vote, type Voter } from '../../src/domain/approval.ts';

const anna: Voter = { keyId: 'key-a', person: 'anna' };
const ben: Voter = { keyId: 'key-b', person: 'ben' };

const asked = (changed: Partial<Approval> = {}): Approval => ({
  requestHash: 'h1',
  needed: 2,
  voters: [anna],
  expiresAtMs: 1_000 + approvalLastsMs,
  isApplied: false,
  ...changed,
});

const vote = (changed: Partial<Vote> = {}): Vote => ({ ...ben, requestHash: 'h1', atMs: 2_000, ...changed });

describe('judgeVote', () => {
  test.each([
    { name: 'another person with another key', approval: asked(), by: vote(), missing: 0 },
    { name: 'the first of two on what nobody has asked for', approval: asked({ voters: [] }), by: vote(), missing: 1 },
    { name: 'the last millisecond', approval: asked(), by: vote({ atMs: 999 + approvalLastsMs }), missing: 0 },
    { name: 'the second of three', approval: asked({ needed: 3 }), by: vote(), missing: 1 },
  ])('counts $name', ({ approval, by, missing }) => {
    expect(judgeVote(approval, by)).toEqual({ outcome: 'counts', missing });
  });

  test.each([
    { name: 'the same person', by: vote(anna), approval: asked(), code: 'APPROVAL_SAME_PERSON' },
    {
      name: 'the same key under another name',
      by: vote({ keyId: 'key-a', person: 'ben' }),
      approval: asked(),
      code: 'APPROVAL_SAME_PERSON',
    },
    {
      name: 'the same name under another key',
      by: vote({ person: ' Anna ' }),
      approval: asked(),
      code: 'APPROVAL_SAME_PERSON',
    },
    {
      name: 'a vote after the time is over',
      by: vote({ atMs: 1_000 + approvalLastsMs }),
      approval: asked(),
      code: 'APPROVAL_EXPIRED',
    },
    { name: 'a vote on another request', by: vote({ requestHash: 'h2' }), approval: asked(), code: 'APPROVAL_CHANGED' },
    {
      name: 'a vote on what was carried out',
      by: vote(),
      approval: asked({ isApplied: true }),
      code: 'APPROVAL_USED',
    },
  ])('refuses $name', ({ approval, by, code }) => {
    expect(judgeVote(approval, by)).toEqual({ outcome: 'refused', code });
  });

  test('never lets one key, or one name, be two people', () => {
    const voter = fc.record({
      keyId: fc.constantFrom('k1', 'k2', 'k3'),
      person: fc.constantFrom('anna', 'ben', 'Anna'),
    });
    fc.assert(
      fc.property(fc.array(voter, { maxLength: 12 }), fc.integer({ min: 1, max: 3 }), (voters, needed) => {
        let approval = asked({ voters: [], needed });
        for (const each of voters) {
          const judged = judgeVote(approval, vote(each));
          if (judged.outcome === 'refused') continue;
          approval = { ...approval, voters: [...approval.voters, each], isApplied: judged.missing === 0 };
        }
        expect(new Set(approval.voters.map(({ keyId }) => keyId)).size).toBe(approval.voters.length);
        expect(new Set(approval.voters.map(({ person }) => person.toLowerCase())).size).toBe(approval.voters.length);
        if (approval.isApplied) expect(approval.voters).toHaveLength(needed);
      }),
    );
  });
});
