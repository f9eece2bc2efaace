import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leafOf, linkOf, origin } from '../../src/audit/chain.ts';
import { publicKeyOf } from '../../src/audit/keys.ts';
import type { SealedRecord } from '../../src/audit/log.ts';
import { type AuditSource, verifyAudit } from '../../src/audit/verify.ts';
import { aKey, aSource, aTrade, chained, checkpointOf, headOf, sealed, stamped } from './fixtures.ts';

const key = aKey();
const publicKey = publicKeyOf(key);
const records = sealed([...aTrade('t-1'), ...aTrade('t-2'), ...aTrade('t-3')]);
const sizes = [4, 9, 17, records.length];
const genuine = aSource(records, key, sizes);

const verify = (changed: Partial<AuditSource>) => verifyAudit({ ...genuine, ...changed }, publicKey);

/** The log after somebody with every right on the database changed its records, and the head to fit them. */
const forged = (changed: readonly SealedRecord[]) => verify({ records: [changed], head: headOf(changed) });

/** The record at `i` with other contents, everything else as it was. */
const replaced = (i: number, change: Partial<SealedRecord>): SealedRecord[] =>
  records.map((record, at) => (at === i ? { ...record, ...change } : record));

const bodyWith = (record: SealedRecord, field: object): string =>
  JSON.stringify({ ...JSON.parse(record.body), ...field });
const flipped = (digest: string): string => (digest.startsWith('0') ? '1' : '0') + digest.slice(1);

/** Everything after the change hashed anew: what an insider does who knows the scheme but has not the key. */
const rehashed = (changed: readonly SealedRecord[]): SealedRecord[] => chained(changed.map(({ body }) => body));

describe('verifyAudit of a genuine log', () => {
  test('finds nothing in a genuine log', async () => {
    expect(await verify({})).toEqual({
      outcome: 'ok',
      exitCode: 0,
      findings: [],
      records: 21,
      checkpoints: 4,
      uncovered: 0,
      unsealed: 0,
      clockSteps: 0,
    });
  });

  test('finds nothing in an empty log', async () => {
    expect(await verifyAudit(aSource([], key, []), publicKey)).toMatchObject({
      outcome: 'ok',
      exitCode: 0,
      records: 0,
    });
  });

  test('counts what no checkpoint covers, and what has no place yet', async () => {
    const source = aSource(records, key, [4, 15]);
    expect(await verifyAudit({ ...source, unsealed: 3 }, publicKey)).toMatchObject({
      exitCode: 0,
      uncovered: 6,
      unsealed: 3,
    });
  });

  test('does not mind in which batches the records come', async () => {
    const batches = fc.array(fc.nat(21), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(batches, async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), records.length];
        const parts = edges.map((edge, i) => records.slice(edge, edges[i + 1] ?? edge));
        expect(await verify({ records: parts })).toMatchObject({ exitCode: 0, records: 21 });
      }),
    );
  });
});

/** One of each kind of change, done to the record at `i`. Of a shorter log only the missing end can be named. */
const mutations: readonly {
  readonly name: string;
  readonly isShorter?: true;
  readonly change: (i: number, record: SealedRecord) => SealedRecord[];
}[] = [
  { name: 'its text', change: (i, record) => replaced(i, { body: bodyWith(record, { quantity: '9' }) }) },
  { name: 'a blank in its text', change: (i, record) => replaced(i, { body: record.body.replace(':', ': ') }) },
  { name: 'its text and leaf', change: (i) => replaced(i, { body: '{}', leaf: leafOf('{}') }) },
  { name: 'its leaf', change: (i, record) => replaced(i, { leaf: flipped(record.leaf) }) },
  { name: 'its predecessor', change: (i, record) => replaced(i, { prev: flipped(record.prev) }) },
  { name: 'its hash', change: (i, record) => replaced(i, { hash: flipped(record.hash) }) },
  { name: 'its number', change: (i, record) => replaced(i, { seq: record.seq + 100 }) },
  { name: 'its type column', change: (i) => replaced(i, { eventType: 'AlertRaised' }) },
  { name: 'its trade column', change: (i) => replaced(i, { tradeId: 't-9' }) },
  {
    name: 'its id column',
    change: (i, { eventId }) => replaced(i, { eventId: eventId.replace(/^0/, '1') }),
  },
  { name: 'its insertion column', change: (i, { insertNo }) => replaced(i, { insertNo: insertNo + 1 }) },
  {
    name: 'its time column',
    change: (i, { recordedAt }) => replaced(i, { recordedAt: recordedAt.replace('.', '.9') }),
  },
  {
    name: 'its text, leaf and hash',
    change: (i, { seq, prev }) =>
      replaced(i, { body: '{}', leaf: leafOf('{}'), hash: linkOf(seq, prev, leafOf('{}')) }),
  },
  { name: 'its being there', change: (i) => records.filter((_, at) => at !== i) },
  {
    name: 'its being there, the later ones counted anew',
    change: (i) => records.filter((_, at) => at !== i).map((record, at) => ({ ...record, seq: at + 1 })),
  },
  {
    name: 'the text, hashed forward',
    change: (i, record) => rehashed(replaced(i, { body: bodyWith(record, { note: 'x' }) })),
  },
  {
    name: 'its being there, hashed forward',
    isShorter: true,
    change: (i) => rehashed(records.filter((_, at) => at !== i)),
  },
  {
    name: 'a record put before it, hashed forward',
    change: (i) => rehashed([...records.slice(0, i), ...sealed([{ type: 'AlertRaised' }]), ...records.slice(i)]),
  },
];

describe.each(mutations)('F65: verifyAudit finds a change of $name', ({ change, isShorter }) => {
  test.each(records.map((record, i) => ({ record, i })))('in record $record.seq', async ({ record, i }) => {
    const verdict = await forged(change(i, record));
    expect(verdict).toMatchObject({ outcome: 'tampered', exitCode: 1 });
    // The exact record, or where it was hashed forward the first after the last checkpoint before it.
    const lastSound = Math.max(0, ...sizes.filter((size) => size <= i));
    expect(verdict.firstBadSeq).toBeGreaterThan(lastSound);
    expect(verdict.firstBadSeq).toBeLessThanOrEqual(isShorter ? records.length : i + 1);
  });
});

describe('F65: verifyAudit finds a flipped bit', () => {
  test.each(records.map((record, i) => ({ record, i })))(
    'in each byte of record $record.seq',
    async ({ record, i }) => {
      const bytes = Buffer.from(record.body);
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes);
        // Not the highest bit: alone it would be no character, and the database would refuse it.
        flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (at % 7)), at);
        const verdict = await forged(replaced(i, { body: flipped.toString() }));
        expect(verdict, `byte ${at}`).toMatchObject({ outcome: 'tampered', firstBadSeq: record.seq });
      }
    },
  );
});

const pairs = records.slice(1).map((_, i) => ({ i, first: i + 1, second: i + 2 }));
/** Puts of each of the two neighbors what `part` takes from it into the other's place. */
const swapped = (
  i: number,
  part: (other: SealedRecord, own: SealedRecord) => Partial<SealedRecord>,
): SealedRecord[] => {
  const [a, b] = [records[i], records[i + 1]] as [SealedRecord, SealedRecord];
  return records.map((record, at) => ({ ...record, ...(at === i ? part(b, a) : at === i + 1 ? part(a, b) : {}) }));
};

describe.each([
  { name: 'whole', part: (record: SealedRecord) => record },
  { name: 'but for their numbers', part: (other: SealedRecord, { seq }: SealedRecord) => ({ ...other, seq }) },
  { name: 'by their texts', part: ({ body }: SealedRecord) => ({ body }) },
])('F65: verifyAudit finds two records swapped $name', ({ part }) => {
  test.each(pairs)('$first and $second', async ({ i, first }) => {
    expect(await forged(swapped(i, part))).toMatchObject({ exitCode: 1, firstBadSeq: first });
  });

  test.each(pairs)('$first and $second, hashed forward', async ({ i, first }) => {
    const verdict = await forged(rehashed(swapped(i, ({ body }) => ({ body }))));
    expect(verdict.exitCode).toBe(1);
    expect(verdict.firstBadSeq).toBeLessThanOrEqual(first);
  });
});

describe('F65: verifyAudit finds a cut tail', () => {
  test.each(records.map(({ seq }) => seq - 1))(
    'after record %i, by the checkpoints outside of the database',
    async (size) => {
      const kept = records.slice(0, size);
      const storedCheckpoints = genuine.storedCheckpoints.filter(({ tree }) => tree.size <= size);
      const verdict = await verify({ records: [kept], head: headOf(kept), storedCheckpoints });
      expect(verdict).toMatchObject({ outcome: 'tampered', exitCode: 1, firstBadSeq: size + 1 });
    },
  );

  test('by the head, where only the records were cut', async () => {
    expect(await verify({ records: [records.slice(0, 19)] })).toMatchObject({ exitCode: 1, firstBadSeq: 20 });
  });

  test('by the table, where only the head was set back', async () => {
    const head = { ...headOf(records.slice(0, 17)), lastSeq: 21 };
    const source = aSource(records, key, [4, 9, 17]);
    expect(await verifyAudit({ ...source, head, records: [records.slice(0, 17)] }, publicKey)).toMatchObject({
      exitCode: 1,
      firstBadSeq: 18,
    });
  });
});

describe('F65: verifyAudit of a tail that nothing outside remembers', () => {
  test.each(sizes)(
    'cut to %i records with its checkpoints and head, it passes: only the outside knows',
    async (size) => {
      const kept = records.slice(0, size);
      const inside = {
        records: [kept],
        head: headOf(kept),
        storedCheckpoints: genuine.storedCheckpoints.filter(({ tree }) => tree.size <= size),
      };
      expect(await verify({ ...inside, externalNotes: [] })).toMatchObject({ outcome: 'ok' });
      const { outcome } = await verify(inside);
      expect(outcome).toBe(size === records.length ? 'ok' : 'tampered');
    },
  );
});

describe('F22: verifyAudit of a log whose clock was set', () => {
  const hourMs = 3_600_000;
  const clocked = (steps: readonly number[]) => {
    let atMs = 1_795_262_400_000;
    const bodies = steps.map((stepMs, i) => {
      atMs += stepMs;
      return stamped({ type: 'AlertRaised' }, i + 1, new Date(atMs).toISOString().replace('Z', '000Z'));
    });
    return aSource(chained(bodies), key);
  };

  test.each([
    { name: 'an hour back', steps: [1, 1, -hourMs, 1, 1], clockSteps: 1 },
    { name: 'an hour forth', steps: [1, 1, hourMs, 1, 1], clockSteps: 0 },
    { name: 'there and back', steps: [1, hourMs, 1, -hourMs, 1, -hourMs], clockSteps: 2 },
    { name: 'by a leap second and a slewed clock', steps: [1, -1_000, 1, -100, 1], clockSteps: 0 },
  ])(
    '$name: the numbers are the order, the step is counted, nothing is called forged',
    async ({ steps, clockSteps }) => {
      expect(await verifyAudit(clocked(steps), publicKey)).toMatchObject({
        outcome: 'ok',
        exitCode: 0,
        records: steps.length,
        clockSteps,
      });
    },
  );
});

describe('verifyAudit of checkpoints', () => {
  test.each([5, 12, 20])('F65: finds a fork at record %i, whichever side is shown', async (at) => {
    const other = chained(
      records.slice(at - 1).map((record) => bodyWith(record, { branch: 'b' })),
      records[at - 2],
    );
    const fork = [...records.slice(0, at - 1), ...other];
    // Both sides are signed with the genuine key: a restored copy of the database that went on beside the first.
    const forkSource = aSource(fork, key, sizes);
    for (const side of [genuine, forkSource]) {
      const storedCheckpoints = side.storedCheckpoints;
      const externalNotes = [...genuine.externalNotes, ...forkSource.externalNotes];
      expect(await verifyAudit({ ...side, storedCheckpoints, externalNotes }, publicKey)).toMatchObject({
        exitCode: 1,
      });
    }
  });

  test('does not trust checkpoints of another key: an insider with the database alone can not sign', async () => {
    const forger = aKey();
    const changed = rehashed(replaced(6, { body: bodyWith(records[6] as SealedRecord, { note: 'x' }) }));
    expect(await verifyAudit(aSource(changed, forger, sizes), publicKey)).toMatchObject({
      outcome: 'untrusted',
      exitCode: 3,
    });
  });

  test('does not trust a checkpoint of another log that the same key signed', async () => {
    const source = aSource(records, { ...key, name: 'ratchet/other' });
    expect(await verifyAudit(source, { ...publicKey, name: 'ratchet/other' })).toMatchObject({ exitCode: 0 });
    expect(await verifyAudit(source, publicKey)).toMatchObject({ exitCode: 3 });
  });

  test.each([
    { name: 'a root', change: { root: flipped(checkpointOf(records, key).root) } },
    { name: 'a head', change: { chain: origin } },
    { name: 'peaks', change: { tree: { size: records.length, peaks: [leafOf('x'), leafOf('y'), leafOf('z')] } } },
  ])('finds $name in a checkpoint row that its note does not say', async ({ change }) => {
    const storedCheckpoints = [{ ...checkpointOf(records, key), ...change }];
    expect(await verify({ storedCheckpoints })).toMatchObject({ outcome: 'tampered', exitCode: 1 });
  });

  test('names a checkpoint that it can not read, and goes on', async () => {
    const verdict = await verify({ externalNotes: [...genuine.externalNotes, 'garbage'] });
    expect(verdict).toMatchObject({ outcome: 'incomplete', exitCode: 2, records: 21 });
  });

  test('calls a log without any checkpoint incomplete', async () => {
    expect(await verifyAudit(aSource(records, key, []), publicKey)).toMatchObject({ exitCode: 2, uncovered: 21 });
  });

  test('lets a proof of tampering outweigh a doubt', async () => {
    const source = { records: [replaced(2, { body: '{}' })], externalNotes: ['garbage'] };
    expect(await verify(source)).toMatchObject({ exitCode: 1, firstBadSeq: 3 });
  });

  test('survives a text that is no JSON object, and names it', async () => {
    for (const body of ['null', '[]', '7', 'x']) {
      const leaf = leafOf(body);
      const last = {
        seq: 1,
        eventType: 'Fill',
        tradeId: null,
        eventId: '',
        insertNo: 1,
        recordedAt: '',
        body,
        prev: origin,
        leaf,
        hash: linkOf(1, origin, leaf),
      };
      expect(await verifyAudit(aSource([last], key), publicKey), body).toMatchObject({ exitCode: 1, firstBadSeq: 1 });
    }
  });
});

describe('verifyAudit finds a story that can not be', () => {
  const trade = aTrade('t-1');
  const [decided, intent, acked, fill, exitIntent, exitFill, closed] = trade as [...typeof trade] & { length: 7 };
  test.each([
    { name: 'an order that was acknowledged before its intent', told: [decided, acked, intent], badSeq: 2 },
    {
      name: 'a fill of an order that nobody meant',
      told: [decided, intent, { ...fill, clientOrderId: 'x' }],
      badSeq: 3,
    },
    { name: 'an intent without a decision', told: [intent], badSeq: 1 },
    { name: 'a decision made twice', told: [decided, intent, { ...decided, outcome: 'denied' }], badSeq: 3 },
    { name: 'an intent written twice', told: [decided, intent, { ...intent, quantity: '9' }], badSeq: 3 },
    { name: 'a trade closed twice', told: [...trade, { ...closed, pnl: '9' }], badSeq: 8 },
    { name: 'an order after the close', told: [...trade, { ...exitIntent, clientOrderId: 't-1-x2' }], badSeq: 8 },
  ])('$name', async ({ told, badSeq }) => {
    const log = sealed(told.map((event) => ({ type: '', ...event })));
    expect(await verifyAudit(aSource(log, key), publicKey)).toMatchObject({ exitCode: 1, firstBadSeq: badSeq });
  });

  test('and nothing in trades that run side by side', async () => {
    const order = fc.shuffledSubarray([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1], { minLength: 14 });
    await fc.assert(
      fc.asyncProperty(order, async (turns) => {
        const stories = [[...aTrade('a')], [...aTrade('b')]];
        const told = turns.map((turn) => stories[turn]?.shift() ?? { type: '' });
        expect(await verifyAudit(aSource(sealed(told), key), publicKey)).toMatchObject({ exitCode: 0 });
      }),
    );
    expect([acked, fill, exitFill].every(Boolean)).toBe(true);
  });
});
