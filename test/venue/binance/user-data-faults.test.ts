import { describe, expect, test } from 'vitest';
import { decimal, sum } from '../../../src/domain/decimal.ts';
import type { FaultAction } from '../../../src/simulator/faults/faults.ts';
import type { SimulatorOptions } from '../../../src/simulator/server.ts';
import type { Venue } from '../../../src/venue/venue.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { anOrder, aPaperVenue, listen, type PaperVenue, symbol } from '../support/paper-venue.ts';
import { soon } from '../support/soon.ts';

const keep = keepUntilTheEnd();

/** An order for 0.03 that rests, heard of by a stream that delivers. */
async function aRestingOrder(options: Partial<SimulatorOptions> = {}) {
  const paper = keep(await aPaperVenue(options));
  const venue = keep(paper.connect({ socketTimings: { silenceMs: 1500 } }));
  const heard = listen(venue);
  await soon(() => expect(heard.types()).toEqual(['connected']));
  const order = await anOrder(venue, paper, { quantity: decimal('0.03') });
  await venue.placeOrder(order, 'entry');
  await soon(() => expect(heard.orders()).toHaveLength(1));
  return { paper, venue, heard, order };
}

const fillOne = ({ simulator }: PaperVenue): void => simulator.tick({ symbol, price: '45000', quantity: '0.01' });

/** What anybody who asks over REST is told of the order now. */
async function asked(venue: Venue, order: { symbol: string; clientOrderId: string }) {
  const found = await venue.findOrder(order);
  if (found.outcome !== 'found') throw new Error(`the order is ${found.outcome}`);
  const fills = await venue.fillsOf({ symbol, venueOrderId: found.order.venueOrderId });
  return { filled: found.order.report.filledQuantity, fills };
}

describe('F34: a stream that ends', () => {
  const endings: readonly (readonly [string, (paper: PaperVenue) => Promise<void>])[] = [
    ['a subscription that is terminated', (paper) => paper.command('terminate', { how: 'subscription' })],
    ['a server that shuts down', (paper) => paper.command('terminate', { how: 'shutdown', streams: 'user' })],
    [
      'a connection that is closed',
      (paper) => paper.command('terminate', { how: 'close', streams: 'user', code: 1008 }),
    ],
    ['a line that has gone silent', (paper) => paper.command('silence', { streams: 'user', ms: 2500 })],
  ];

  test.each(endings)('%s is told, and what it kept back is there over REST', async (_name, end) => {
    const { paper, venue, heard, order } = await aRestingOrder();
    await end(paper);
    await soon(() => expect(heard.types()).toContain('disconnected'));
    fillOne(paper);
    await soon(() => expect(heard.types().filter((type) => type === 'connected')).toHaveLength(2));
    // Whoever hears `connected` asks: nothing of before comes on the new connection.
    expect(await asked(venue, order)).toMatchObject({ filled: '0.01', fills: [{ quantity: '0.01' }] });
    fillOne(paper);
    await soon(() => expect(heard.orders().at(-1)?.report.filledQuantity).toBe('0.02'));
  });

  test('a connection that the venue cuts after its day comes back by itself', async () => {
    const { heard } = await aRestingOrder({ sockets: { lifetimeMs: 300 } });
    await soon(() => expect(heard.types().filter((type) => type === 'connected').length).toBeGreaterThan(1));
  });

  test('a key that is revoked keeps the stream out, and it comes back with the key', async () => {
    const { paper, heard } = await aRestingOrder();
    await paper.command('key', { revoked: true });
    await paper.command('terminate', { how: 'close', streams: 'user' });
    await soon(() => expect(heard.types().filter((type) => type === 'disconnected').length).toBeGreaterThan(1));
    expect(heard.types().filter((type) => type === 'connected')).toHaveLength(1);
    await paper.command('key', { revoked: false });
    await soon(() => expect(heard.types().at(-1)).toBe('connected'));
  });
});

test('F18: a stream that is cut during a ban comes back without a single request', async () => {
  const { paper, venue, heard, order } = await aRestingOrder();
  await paper.command('ban', { ms: 60_000 });
  expect(await venue.cancelOrder(order)).toMatchObject({ outcome: 'THROTTLED', httpStatus: 418 });
  const sent = paper.simulator.requests().length;
  await paper.command('terminate', { how: 'close', streams: 'user' });
  await soon(() => expect(heard.types().filter((type) => type === 'connected')).toHaveLength(2));
  fillOne(paper);
  await soon(() => expect(heard.orders().at(-1)?.report.filledQuantity).toBe('0.01'));
  expect(paper.simulator.requests()).toHaveLength(sent);
});

describe('F32 F33: frames that come twice, in another order, or not at all', () => {
  const frames = { path: '/ws-api/v3', match: { e: 'executionReport', x: 'TRADE' } };
  const faults: readonly (readonly [string, FaultAction, number])[] = [
    ['twice', { action: 'dup' }, 6],
    ['in reverse', { action: 'reorder', frames: 3 }, 3],
  ];

  test.each(faults)(
    '%s: each fill keeps its own id, and the largest total is the true one',
    async (_name, action, count) => {
      const { paper, venue, heard, order } = await aRestingOrder();
      paper.simulator.plan({ on: frames, phase: 'stream', do: action });
      for (let i = 0; i < 3; i += 1) fillOne(paper);
      const trades = () => heard.orders().filter(({ fills }) => fills.length > 0);
      await soon(() => expect(trades()).toHaveLength(count));
      const byId = new Map(trades().flatMap(({ fills }) => fills.map((fill) => [fill.venueTradeId, fill.quantity])));
      expect(byId.size).toBe(3);
      expect(sum([...byId.values()])).toBe('0.03');
      const totals = trades().map(({ report }) => report.filledQuantity);
      expect(totals.toSorted().at(-1)).toBe('0.03');
      expect((await asked(venue, order)).fills.map(({ venueTradeId }) => venueTradeId).toSorted()).toEqual(
        [...byId.keys()].toSorted(),
      );
    },
  );

  test('lost: the next report tells the whole total, and the fill itself is there over REST', async () => {
    const { paper, venue, heard, order } = await aRestingOrder();
    paper.simulator.plan({ on: { ...frames, nth: 1 }, phase: 'stream', do: { action: 'drop' } });
    fillOne(paper);
    fillOne(paper);
    await soon(() => expect(heard.orders().at(-1)?.report.filledQuantity).toBe('0.02'));
    expect(heard.orders().flatMap(({ fills }) => fills)).toHaveLength(1);
    expect((await asked(venue, order)).fills).toHaveLength(2);
  });
});
