import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CrashCase, casesNamed } from '../crash/cases.ts';
import { type CaseResult, playCase } from '../crash/play.ts';
import { bystanders, closeBystanders, openBystanders, startCrashStack } from '../crash/stack.ts';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { searchSecrets } from '../support/secret-search.ts';
import type { Stack } from '../support/stack.ts';
import { phaseOf } from '../support/trading.ts';

// Of the 128 cases of `npm run crash` each point once, with every kind of order and both blows among them. A case has
// passed when its point was struck, its trade has ended, and the oracle finds nothing broken on the whole stack.
const cases = casesNamed(
  [
    ...['CP1-MARKET-kill', 'CP2-LIMIT-kill', 'CP3-IOC-pause', 'CP4-LIMIT-kill', 'CP5-MARKET-kill', 'CP6-IOC-kill'],
    ...['CP7-stop-kill', 'CP8-LIMIT-pause', 'CP9-MARKET-kill', 'CP10-MARKET-pause', 'CP11-stop-kill'],
    ...['CP12-IOC-pause', 'CP13-stop-pause', 'CP14-LIMIT-kill', 'CP15-IOC-kill', 'CP16-LIMIT-pause'],
  ].join(','),
);
let stack: Stack;

beforeAll(async () => {
  stack = await startCrashStack(cases);
  await openBystanders(stack);
}, 180_000);
afterAll(() => stack?.stop(), 60_000);

const caseOf = (place: string): CrashCase => cases.find((each) => each.place === place) as CrashCase;

async function play(place: string): Promise<CaseResult> {
  const result = await playCase(stack, caseOf(place));
  expect(result.faults).toEqual([]);
  return result;
}

/** How often the venue was asked to place an order of the trade, and how many it took. */
async function askedOf(tradeId: string, purpose = 'entry') {
  const orders = await stack.sql<{ id: string }>(
    'select client_order_id as id from orders where trade_id = $1 and purpose = $2',
    [tradeId, purpose],
  );
  const { requests } = await stack.venue.ledger();
  const sends = requests.filter(
    ({ method, path, parameters }) =>
      method === 'POST' && path === '/api/v3/order' && orders.some(({ id }) => id === parameters['newClientOrderId']),
  );
  return { first: sends[0], sent: sends.length, taken: sends.filter(({ accepted }) => accepted).length };
}

const minute = 60_000;

describe('a worker that dies or sleeps at a point of a trade breaks no promise', () => {
  test(
    'F01: before anything is reserved',
    async () => {
      const { tradeId, goesOnAfterMs } = await play('CP1');
      expect(await askedOf(tradeId)).toMatchObject({ sent: 1, taken: 1 });
      expect(goesOnAfterMs).toBeLessThan(10_000);
    },
    2 * minute,
  );

  test(
    'F02 F51: between the reservation and the intent',
    async () => {
      const { tradeId } = await play('CP2');
      expect(await askedOf(tradeId)).toMatchObject({ sent: 1, taken: 1 });
      expect(await stack.sql('select 1 from reservation where trade_id = $1', [tradeId])).toHaveLength(1);
    },
    2 * minute,
  );

  test(
    'between the intent and the first byte, and wakes up when its timestamp is too old',
    async () => {
      const { tradeId, phase } = await play('CP3');
      const { first, taken } = await askedOf(tradeId);
      expect(first).toMatchObject({ accepted: false });
      // Whether another attempt is still in time to sign the order again is a race; it is taken once at most.
      expect(taken).toBe(phase === 'closed' ? 1 : 0);
    },
    2 * minute,
  );

  test(
    'F04: after the last byte, before the answer: the order is adopted, and not sent again',
    async () => {
      const { tradeId } = await play('CP4');
      expect(await askedOf(tradeId)).toMatchObject({ sent: 1, taken: 1 });
    },
    2 * minute,
  );

  test(
    'F05: after the answer, before the database has it',
    async () => {
      const { tradeId } = await play('CP5');
      expect(await askedOf(tradeId)).toMatchObject({ sent: 1, taken: 1 });
    },
    2 * minute,
  );

  test(
    'F06: after the database has it, before the server knows',
    async () => {
      const { tradeId } = await play('CP6');
      expect(await askedOf(tradeId)).toMatchObject({ sent: 1, taken: 1 });
    },
    2 * minute,
  );

  test.each(['CP7', 'CP8', 'CP9', 'CP10', 'CP11', 'CP12', 'CP13', 'CP14', 'CP15', 'CP16'])(
    '%s',
    async (place) => {
      await play(place);
    },
    2 * minute,
  );

  test(
    'nor of those that stood by',
    async () => {
      await closeBystanders(stack);
      const phases = await Promise.all(bystanders.map((tradeId) => phaseOf(stack, tradeId)));
      expect(phases).toEqual(['closed', 'closed', 'closed', 'unfilled']);
      expect(judge(await gather(stack))).toEqual([]);
    },
    2 * minute,
  );

  test(
    'F83: and leaves no secret anywhere',
    async () => {
      const { found, places } = await searchSecrets(stack);
      expect(found).toEqual([]);
      expect(places).toBeGreaterThan(100);
    },
    2 * minute,
  );
});
