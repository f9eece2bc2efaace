import { describe, expect, test } from 'vitest';
import type { OutcomeClass } from '../../../src/domain/outcome.ts';
import type { Venue } from '../../../src/venue/venue.ts';
import type { Reply } from '../support/scripted-venue.ts';
import { replaced, wanted } from './answers.ts';
import { type OutcomeRow, outcomeRows } from './outcome-rows.ts';
import { order, routes, type Stage } from './stage.ts';

/** Makes of every answer of the table the one thing that it means, and sends everything once. */
export function describeOutcomes(name: string, { keep, makeVenue, scripted }: Stage): void {
  /** One question on a connection of its own, with how often it reached the venue. */
  async function asked<T>(
    route: string,
    reply: Reply,
    ask: (venue: Venue) => Promise<T>,
  ): Promise<readonly [T, number]> {
    const { server, venue } = await scripted({ [route]: () => reply });
    const answer = await ask(venue);
    return [answer, server.requestsTo(route).length];
  }

  describe(`${name}: every answer means one thing`, () => {
    test.each<OutcomeRow>(outcomeRows)('$name: $placed, $canceled, $found', async ({ reply, ...row }) => {
      const [placed, placements] = await asked(routes.place, reply, (venue) => venue.placeOrder(order, 'exit'));
      expect({ outcome: placed.outcome, sent: placements }).toEqual({ outcome: row.placed, sent: 1 });
      expect(placed.order === undefined).toBe(row.placed !== 'ACCEPTED');

      const [canceled, cancels] = await asked(routes.cancel, reply, (venue) => venue.cancelOrder(wanted));
      expect({ outcome: canceled.outcome, sent: cancels }).toEqual({ outcome: row.canceled, sent: 1 });

      const [found] = await asked(routes.find, reply, (venue) => venue.findOrder(wanted));
      expect(found.outcome).toBe(row.found);
    });

    test.each<OutcomeRow>(outcomeRows)('$name: replaced $replaced', async ({ reply, replaced: row }) => {
      const ask = (venue: Venue) => venue.replaceOrder({ cancel: replaced, order, lane: 'exit' });
      const [{ canceled, placed }, sent] = await asked(routes.replace, reply, ask);
      expect({ canceled: canceled.outcome, placed: placed.outcome, sent }).toEqual({ ...row, sent: 1 });
      expect(canceled.order?.clientOrderId).toBe(row.canceled === 'ACCEPTED' ? replaced.clientOrderId : undefined);
      expect(placed.order?.clientOrderId).toBe(row.placed === 'ACCEPTED' ? wanted.clientOrderId : undefined);
    });

    test('F11: a connection that is refused leaves nothing behind, whatever was asked', async () => {
      const { server, venue } = await scripted({});
      await server.close();
      const outcomes: OutcomeClass[] = [
        (await venue.placeOrder(order, 'entry')).outcome,
        (await venue.cancelOrder(wanted)).outcome,
        (await venue.cancelAllOf(wanted.symbol)).outcome,
      ];
      expect(outcomes).toEqual(['NOT_SENT', 'NOT_SENT', 'NOT_SENT']);
      expect((await venue.findOrder(wanted)).outcome).toBe('unavailable');
    });

    test('F11: a name that nobody knows leaves nothing behind', async () => {
      const venue = keep(makeVenue({ url: 'http://venue.invalid' }));
      expect((await venue.placeOrder(order, 'entry')).outcome).toBe('NOT_SENT');
    });
  });
}
