import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sum } from '../../src/domain/decimal.ts';
import { recordSend } from '../../src/store/orders/orders.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aRequest, d, decide, openAccount, placeEntry, retrying, sent, withinCap } from './fixtures.ts';

/** 1,000 rounds with `npm run faults`, a few with `npm test`. */
const rounds = process.env['FULL_LENGTH'] ? 1_000 : 8;
const entries = 256;
const room = 10;
const price = 100;

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase({ poolMax: 16 });
});
afterAll(() => database.close());

const cap = d(String(room * price));
const decideWithin = (account: string, tradeId: string, run = 'run-1') => {
  const request = aRequest({ tradeId: `${account}-${tradeId}`, account });
  return retrying(() => decide(database.db, request, withinCap(request, cap), run));
};

async function reservedOf(account: string): Promise<string> {
  const rows = await database.db.selectFrom('reservation').selectAll().where('account_id', '=', account).execute();
  const open = rows.filter(({ voided_quantity }) => voided_quantity === '0');
  return sum(open.map((row) => row.price));
}

/** 256 at once, a quarter of them asked for a second time by another run, whose first worker died after its commit. */
async function rush(account: string): Promise<readonly string[]> {
  const answers = await Promise.all(
    Array.from({ length: entries }, async (_, n) => {
      const asked = [decideWithin(account, String(n))];
      if (n % 4 === 0) asked.push(decideWithin(account, String(n), 'run-2'));
      return Promise.all(asked);
    }),
  );
  return answers.flatMap((twice, n) => {
    const outcomes = new Set(twice.map((one) => ('decision' in one ? one.decision.outcome : one.outcome)));
    expect(outcomes.size).toBe(1);
    return outcomes.has('approved') ? [`${account}-${n}`] : [];
  });
}

describe('F49: 256 concurrent entries against room for 10', () => {
  test(
    `in each of ${rounds} rounds exactly 10 are accepted, and none more while the answer to one of them is lost`,
    async () => {
      for (let round = 0; round < rounds; round += 1) {
        const account = `room-${round}`;
        await openAccount(database.db, account);
        const approved = await rush(account);
        expect(approved).toHaveLength(room);
        expect(await reservedOf(account)).toBe(cap);

        // F07: sent, and nobody knows what became of it. F04 is the same to the book: it has only the intent.
        const [lost = '', unanswered = '', refused = ''] = approved;
        for (const tradeId of [lost, unanswered, refused])
          await placeEntry(database.db, aRequest({ tradeId, account }));
        const send = (tradeId: string, outcome: 'UNKNOWN' | 'REJECTED') =>
          recordSend(database.db, {
            clientOrderId: `${tradeId}-e1`,
            send: sent(outcome),
            nowMs: 1_795_262_400_100,
          });
        await send(lost, 'UNKNOWN');
        const late = await Promise.all(Array.from({ length: 8 }, (_, n) => decideWithin(account, `late-${n}`)));
        expect(late.map((one) => 'decision' in one && one.decision.outcome)).toEqual(Array(8).fill('denied'));

        // What the venue has certainly refused gives back exactly its own room.
        await send(refused, 'REJECTED');
        const last = await Promise.all(Array.from({ length: 8 }, (_, n) => decideWithin(account, `last-${n}`)));
        expect(last.filter((one) => 'decision' in one && one.decision.outcome === 'approved')).toHaveLength(1);
        expect(await reservedOf(account)).toBe(cap);
      }
    },
    rounds * 5_000 + 30_000,
  );
});
