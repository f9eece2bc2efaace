import { describe, expect, test } from 'vitest';
import type { OutcomeClass } from '../../src/domain/outcome.ts';
import { readOrder } from '../../src/store/orders/book-order.ts';
import { commitIntent, renewIntent } from '../../src/store/orders/intents.ts';
import { recordSend } from '../../src/store/orders/order-sends.ts';
import { database, request } from './account-each.ts';
import {
  aFill,
  committed,
  d,
  decide,
  decisionOf,
  enter,
  entryIntent,
  exitIntent,
  nextTradeId,
  nowMs,
  placeEntry,
  report,
  sent,
  typesOf,
  venueOrder,
} from './fixtures.ts';

describe('commitIntent', () => {
  test('commits an entry once, with its send and its record', async () => {
    await decide(database.db, request);

    const first = await commitIntent(database.db, entryIntent(request));
    const again = await commitIntent(database.db, entryIntent(request));

    expect(first.outcome).toBe('committed');
    expect(again.outcome).toBe('existing');
    expect(await readOrder(database.db, `${request.tradeId}-e1`)).toEqual(committed(first));
    expect(committed(first)).toMatchObject({
      status: 'pendingNew',
      timeInForce: 'GTC',
      sendEpoch: 1,
      sends: [{ epoch: 1, signedAtMs: nowMs, outcome: null }],
    });
    expect(await typesOf(database.db, request.tradeId)).toEqual(['TradeDecided', 'OrderIntent']);
  });

  test('refuses an entry of a trade that was denied, and of one that nobody decided', async () => {
    expect(await commitIntent(database.db, entryIntent(request))).toEqual({ outcome: 'not-approved' });
    await decide(database.db, request, () => ({ decision: decisionOf(request, 'denied'), reservations: [] }));
    expect(await commitIntent(database.db, entryIntent(request))).toEqual({ outcome: 'not-approved' });
  });

  test('refuses more than was reserved, over all entry orders of the leg', async () => {
    await decide(database.db, request);
    expect(await commitIntent(database.db, entryIntent(request, { quantity: d('1.1') }))).toEqual({
      outcome: 'exceeds-reservation',
      quantityLeft: '1',
    });
    committed(await commitIntent(database.db, entryIntent(request, { quantity: d('0.6') })));
    const second = entryIntent(request, { clientOrderId: `${request.tradeId}-e2`, generation: 2, quantity: d('0.5') });
    expect(await commitIntent(database.db, second)).toEqual({ outcome: 'exceeds-reservation', quantityLeft: '0.4' });
  });

  test('lets an exit sell what was bought and not more, whatever is on its way already', async () => {
    await enter(database.db, request, { fee: d('0.001'), feeAsset: 'BTC' });
    expect(await commitIntent(database.db, exitIntent(request, d('1')))).toEqual({
      outcome: 'exceeds-position',
      quantityLeft: '0.999',
    });
    const first = committed(await commitIntent(database.db, exitIntent(request, d('0.6'))));
    expect(await commitIntent(database.db, exitIntent(request, d('0.4'), 2))).toEqual({
      outcome: 'exceeds-position',
      quantityLeft: '0.399',
    });
    await report(database.db, venueOrder(first, 'expired', '0.2', [aFill(String(nextTradeId()), '0.2')]));
    committed(await commitIntent(database.db, exitIntent(request, d('0.799'), 2)));
  });
});

describe('renewIntent', () => {
  const renew = (changed: object = {}) =>
    renewIntent(database.db, {
      clientOrderId: `${request.tradeId}-e1`,
      fromEpoch: 1,
      signedAtMs: nowMs + 3_001,
      nowMs: nowMs + 3_001,
      ...changed,
    });

  test('gives an order that was definitely not sent a timestamp of its own, once', async () => {
    const order = await placeEntry(database.db, request);
    await recordSend(database.db, { clientOrderId: order.clientOrderId, send: sent('NOT_SENT'), nowMs });

    const renewed = await renew();

    expect(renewed).toMatchObject({ outcome: 'renewed', order: { sendEpoch: 2, signedAtMs: nowMs + 3_001 } });
    expect(await renew()).toMatchObject({ outcome: 'superseded' });
    expect(await typesOf(database.db, request.tradeId)).toEqual([
      'TradeDecided',
      'OrderIntent',
      'OrderNotSent',
      'OrderIntentRenewed',
    ]);
  });

  test('refuses while the last timestamp is still valid at the venue', async () => {
    const order = await placeEntry(database.db, request);
    await recordSend(database.db, { clientOrderId: order.clientOrderId, send: sent('THROTTLED'), nowMs });
    expect(await renew({ signedAtMs: nowMs + 3_000 })).toMatchObject({ outcome: 'too-early' });
  });

  test.each<[string, OutcomeClass | null]>([
    ['was never answered', null],
    ['is unknown', 'UNKNOWN'],
  ])('refuses over a send that %s', async (_, outcome) => {
    const order = await placeEntry(database.db, request);
    const { clientOrderId } = order;
    if (outcome !== null) await recordSend(database.db, { clientOrderId, send: sent(outcome), nowMs });
    expect(await renew()).toMatchObject({ outcome: 'in-doubt', reported: { inDoubt: outcome === 'UNKNOWN' } });
  });

  test('refuses an order that has ended', async () => {
    const order = await placeEntry(database.db, request);
    await recordSend(database.db, { clientOrderId: order.clientOrderId, send: sent('REJECTED'), nowMs });
    expect(await renew()).toMatchObject({ outcome: 'not-pending', reported: { status: 'rejected' } });
  });
});
