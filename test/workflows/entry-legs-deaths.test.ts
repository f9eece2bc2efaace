import { describe, expect, test } from 'vitest';
import type { EntryOutcome } from '../../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { isClosed } from '../../src/domain/order.ts';
import { aWorkflowWorld, serverOfShortHistories } from '../support/workflow-environment.ts';
import { entriesOf } from './entries.ts';
import { aLegsBook, aRequestOf, type Fate, failures, hasBought, type LegsBook, successes } from './legs-book.ts';

// On the real server: venue and people take their time here, and a clock that skips would let years pass meanwhile.
const world = aWorkflowWorld(serverOfShortHistories(10_000));
const { start } = entriesOf(world);

/** Short: one order is left to rest for so long. */
const windowMs = 300;

type Case = { readonly count: number; readonly place: number };
/** Which of how many legs has a fate of its own; the others fill at once. With FULL_LENGTH=1 all of them. */
const allPlaces: readonly Case[] = [
  { count: 2, place: 0 },
  { count: 3, place: 1 },
  { count: 2, place: 1 },
  { count: 4, place: 3 },
];
const places = process.env['FULL_LENGTH'] === '1' ? allPlaces : allPlaces.slice(0, 2);

type Run = Case & { readonly book: LegsBook; readonly outcome: EntryOutcome };

/** Runs an entry. Its activities die once, at the moment that is given. */
async function run({ count, place }: Case, fate: Fate, diesAt = 0): Promise<Run> {
  const fates = Array.from({ length: count }, (_, leg) => (leg === place ? fate : 'fills at once'));
  const book = aLegsBook(aRequestOf(count, windowMs), fates, diesAt, (id) => world.handle(id));
  books.set(book.request.tradeId, book);
  const handle = await start(book.request);
  const outcome: EntryOutcome = await handle.result();
  expect(book.moments()).toBeGreaterThanOrEqual(diesAt);
  return { count, place, book, outcome };
}

/** Each case undisturbed, and then once for each moment at which an activity can die in it. */
async function runAtEveryStep(fate: Fate): Promise<readonly Run[]> {
  playBooks();
  const runs = places.map(async (one) => {
    const undisturbed = await run(one, fate);
    const moments = Array.from({ length: undisturbed.book.moments() }, (_, i) => i + 1);
    return [undisturbed, ...(await Promise.all(moments.map((diesAt) => run(one, fate, diesAt))))];
  });
  return (await Promise.all(runs)).flat();
}

const books = new Map<string, LegsBook>();
const bookOf = (tradeId: string): LegsBook => {
  const book = books.get(tradeId);
  if (book === undefined) throw new Error(`no book of ${tradeId}`);
  return book;
};

function playBooks(): void {
  world.play({
    checkLimits: (input, runId) => bookOf((input as EntryRequest).tradeId).activities.checkLimits(input, runId),
    placeOrder: (ref) => bookOf(ref.tradeId).activities.placeOrder(ref),
    findOrder: (ref) => bookOf(ref.tradeId).activities.findOrder(ref),
    cancelOrder: (ref) => bookOf(ref.tradeId).activities.cancelOrder(ref),
    requestExit: (request) => bookOf(request.tradeId).activities.requestExit(request),
  });
}

describe('each leg is sent at most once, wherever an activity dies, and', () => {
  test.each(failures)('when a leg %s, none stays open', async (fate) => {
    for (const { count, place, book, outcome } of await runAtEveryStep(fate)) {
      expect(book.isExitRequested()).toBe(true);
      expect(outcome.outcome).toBe(hasBought(book) ? 'compensated' : 'unfilled');
      expect([...book.orders.values()].every(({ status }) => isClosed(status))).toBe(true);
      // What comes after it was never sent.
      const own = fate === 'is denied because of a hold' ? 0 : 1;
      expect(book.sends).toEqual(
        Array.from({ length: count }, (_, leg) => (leg === place ? own : Number(leg < place))),
      );
    }
  });

  test.each(successes)('when a leg %s, all are filled', async (fate) => {
    for (const { count, book, outcome } of await runAtEveryStep(fate)) {
      expect(book.isExitRequested()).toBe(false);
      expect(book.sends).toEqual(Array(count).fill(1));
      expect(outcome).toMatchObject({
        outcome: 'entered',
        filledQuantity: '2',
        filledQuote: '200',
        otherLegs: Array(count - 1).fill({ filledQuantity: '2', filledQuote: '200' }),
      });
    }
  });
});
