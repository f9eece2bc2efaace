import { describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import type { OrderReported } from '../../src/contracts/messages/messages.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { entriesOf } from './entries.ts';
import {
  aLimitEntry,
  aLongOutage,
  approved,
  aReport,
  aRequest,
  currentDetails,
  filledBy,
  searchAttributesOf,
} from './fixtures.ts';

const world = aWorkflowWorld();
const { asked, playApproved, start, tell, viewOf } = entriesOf(world);

describe('placed', () => {
  test('is entered at once when the placement answers with the whole fill', async () => {
    const request = aRequest();
    playApproved(request, aReport('filled', filledBy('2', '200')));
    const handle = await start(request);

    expect(await handle.result()).toMatchObject({ outcome: 'entered', filledQuantity: '2', filledQuote: '200' });
    const { runId } = await handle.describe();
    expect(world.calls()).toMatchObject([
      { activity: 'checkLimits', args: [request, runId] },
      { activity: 'placeOrder', args: [{ tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 }] },
    ]);
    expect(await searchAttributesOf(handle)).toEqual({
      RatchetSymbol: 'BTC/USDT',
      RatchetStrategy: 'ma-cross',
      RatchetAccount: 'main',
      RatchetState: 'entered',
    });
  });

  test('takes the defaults of the decided request: a bare start may leave the venue out', async () => {
    const request = aRequest();
    const { venue: _, ...bare } = request;
    playApproved(request, aReport('filled', filledBy('2', '200')));
    const handle = await start(bare as EntryRequest);
    expect(await handle.result()).toMatchObject({ outcome: 'entered' });
  });

  test.each([
    { status: 'rejected', reason: 'the account has too little' },
    { status: 'denied', reason: 'a hold is in force' },
    { status: 'expired', reason: 'nothing to fill it' },
  ] as const)('is unfilled and says why when the order is $status', async ({ status, reason }) => {
    const request = aRequest();
    playApproved(request, aReport(status, { reason }));
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled', filledQuantity: '0' });
    expect(await currentDetails(handle)).toContain(`- the venue says: ${reason}`);
  });

  test('says while it works what a person on call asks first', async () => {
    const request = aRequest({ entry: aLimitEntry(), reason: 'fast average crossed above slow' });
    playApproved(request, aReport('partiallyFilled', filledBy('0.5', '50')));
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'working' });
    expect((await currentDetails(handle)).split('\n')).toEqual([
      '**working**: BUY 2 BTC/USDT at 100 GTC',
      '- order `r1-t-e1`: partiallyFilled, filled 0.5',
      '- the bot says: fast average crossed above slow',
    ]);
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'working' });
  });

  test.each([
    { name: 'in order', heard: [0, 1, 2, 3] },
    { name: 'twice', heard: [0, 0, 1, 1, 2, 2, 3] },
    { name: 'the end first', heard: [3, 2, 1, 0] },
    { name: 'the fills of the end last', heard: [2, 1, 0, 3] },
  ])('ends the same when reports come $name', async ({ heard }) => {
    const request = aRequest({ entry: aLimitEntry() });
    playApproved(request, aReport('new'));
    const handle = await start(request);
    const story = [
      aReport('partiallyFilled', filledBy('0.5', '50')),
      aReport('partiallyFilled', filledBy('1.5', '150')),
      aReport('canceled', { ...filledBy('1.5', '150'), fillsComplete: false }),
      aReport('canceled', filledBy('1.5', '150')),
    ];
    for (const at of heard) await tell(handle, story[at] as OrderReported);
    expect(await handle.result()).toMatchObject({
      outcome: 'partly-entered',
      filledQuantity: '1.5',
      filledQuote: '150',
    });
  });

  test('ends with what the stream told before the placement had answered', async () => {
    const request = aRequest();
    const outage = aLongOutage(approved(request));
    world.play({ checkLimits: outage.activity, placeOrder: async () => aReport('new') });
    const handle = await start(request);
    await eventually(outage.isWaitedFor).toBe(true);
    await tell(handle, aReport('filled', filledBy('2', '200')));
    outage.end();
    expect(await handle.result()).toMatchObject({ outcome: 'entered', filledQuantity: '2' });
  });

  test('hears nothing of the orders of the exit', async () => {
    const request = aRequest({ entry: aLimitEntry() });
    playApproved(request, aReport('new'));
    const handle = await start(request);
    await tell(handle, aReport('filled', { ...filledBy('2', '200'), purpose: 'exit' }));
    await eventually(viewOf(handle)).toMatchObject({ orders: [{ status: 'new' }] });
    await tell(handle, aReport('canceled'));
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
  });

  test('waits for the fills that the venue has counted', async () => {
    const request = aRequest();
    playApproved(request, aReport('filled', { ...filledBy('1', '100'), fillsComplete: false }));
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'working' });
    await tell(handle, aReport('filled', filledBy('2', '200')));
    expect(await handle.result()).toMatchObject({ outcome: 'entered', filledQuantity: '2' });
  });
});

describe('late', () => {
  test('cancels the rest when its time is up, and keeps what was filled', async () => {
    const request = aRequest({ entry: aLimitEntry(3_600_000) });
    playApproved(request, aReport('partiallyFilled', filledBy('0.5', '50')));
    world.play({ cancelOrder: async () => aReport('canceled', filledBy('0.5', '50')) });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'working' });
    await world.skip('50 minutes');
    expect(asked()).not.toContain('cancelOrder');

    expect(await handle.result()).toMatchObject({ outcome: 'partly-entered', filledQuantity: '0.5' });
    expect(asked()).toEqual(['checkLimits', 'placeOrder', 'cancelOrder']);
  });

  test('is entered after all when the fill crosses the cancel', async () => {
    const request = aRequest({ entry: aLimitEntry(3_600_000) });
    playApproved(request, aReport('new'));
    world.play({ cancelOrder: async () => aReport('filled', filledBy('2', '200')) });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'entered', filledQuantity: '2' });
  });

  test('does not cancel an order that fills in time, and leaves no timer behind', async () => {
    const request = aRequest({ entry: aLimitEntry(3_600_000) });
    playApproved(request, aReport('new'));
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'working' });
    await tell(handle, aReport('filled', filledBy('2', '200')));
    expect(await handle.result()).toMatchObject({ outcome: 'entered' });
    expect(asked()).not.toContain('cancelOrder');
  });

  test('goes on canceling until the venue can be asked', async () => {
    const request = aRequest({ entry: aLimitEntry(3_600_000) });
    let attempts = 0;
    playApproved(request, aReport('new'));
    world.play({
      cancelOrder: async () => {
        attempts += 1;
        if (attempts < 4) throw new RatchetError('VENUE_UNAVAILABLE');
        return aReport('canceled');
      },
    });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(attempts).toBe(4);
  });
});
