import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import type { OrderReported } from '../../src/contracts/messages/messages.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { entriesOf } from './entries.ts';
import {
  aGate,
  aLimitEntry,
  aLongOutage,
  approved,
  aReport,
  aRequest,
  currentDetails,
  eventNamesOf,
  filledBy,
  searchAttributesOf,
} from './fixtures.ts';

const world = aWorkflowWorld();
const { asked, decide, playApproved, start, tell, viewOf } = entriesOf(world);

describe('in doubt', () => {
  const unknown = aReport('pendingNew', { inDoubt: true });
  const parked = aReport('parked', { inDoubt: true });

  test('asks the venue, never places again, and adopts the order that is found', async () => {
    const request = aRequest();
    playApproved(request, unknown);
    world.play({ findOrder: async () => aReport('filled', filledBy('2', '200')) });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'entered', filledQuantity: '2' });
    expect(asked()).toEqual(['checkLimits', 'placeOrder', 'findOrder']);
  });

  test('asks the venue when the placement has run out of time', async () => {
    const request = aRequest();
    playApproved(request, unknown);
    world.play({
      placeOrder: async () => {
        throw ApplicationFailure.create({ message: 'not placed', type: 'ORDER_NOT_PLACED', nextRetryDelay: '20 s' });
      },
      findOrder: async () => aReport('denied', { reasonCode: 'ORDER_NOT_SENT' }),
    });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(asked().slice(-2)).toEqual(['placeOrder', 'findOrder']);
    expect(asked().filter((name) => name === 'placeOrder')).toHaveLength(3);
  });

  test('asks the venue when the placement fails for good', async () => {
    const request = aRequest();
    playApproved(request, unknown);
    world.play({
      placeOrder: async () => Promise.reject(new RatchetError('VENUE_KEY_REFUSED')),
      findOrder: async () => aReport('denied', { reasonCode: 'ORDER_NOT_SENT' }),
    });
    expect(await (await start(request)).result()).toMatchObject({ outcome: 'unfilled' });
  });

  test('looks as often as it takes, however long, and leaves no trace of a look in its history', async () => {
    const request = aRequest();
    let looks = 0;
    playApproved(request, unknown);
    world.play({
      findOrder: async () => {
        looks += 1;
        if (looks < 40) {
          throw ApplicationFailure.create({ message: 'not yet', type: 'ORDER_UNSETTLED', nextRetryDelay: '8 s' });
        }
        return aReport('filled', filledBy('2', '200'));
      },
    });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'entered' });
    expect(looks).toBe(40);
    const scheduled = (await eventNamesOf(handle)).filter((name) => name === 'activityTaskScheduled');
    // The placement and the looks for it.
    expect(scheduled).toHaveLength(2);
  });

  test('does not end while the venue can not be asked, and asks again once a person has mended it', async () => {
    const request = aRequest();
    let isMended = false;
    playApproved(request, unknown);
    world.play({
      findOrder: async () => {
        if (!isMended) throw new RatchetError('VENUE_KEY_REFUSED');
        return aReport('filled', filledBy('2', '200'));
      },
    });
    const handle = await start(request);
    await eventually(asked).toContain('findOrder');
    await world.skip('10 minutes');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'in-doubt' });
    isMended = true;
    expect(await handle.result()).toMatchObject({ outcome: 'entered' });
  });

  test.each([
    { name: 'dead', report: aReport('canceled'), outcome: 'unfilled' },
    { name: 'filled', report: aReport('filled', filledBy('2', '200')), outcome: 'entered' },
  ])('is parked until, days later, it turns out to be $name', async ({ report, outcome }) => {
    const request = aRequest();
    playApproved(request, unknown);
    world.play({ findOrder: async () => parked });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'parked' });
    expect(await currentDetails(handle)).toContain('parked, in doubt');
    await world.skip('3 days');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'parked' });
    expect(asked().filter((name) => name === 'findOrder')).toHaveLength(1);

    await tell(handle, report);
    expect(await handle.result()).toMatchObject({ outcome });
  });

  test('stays parked when its time is up, and cancels what then appears at the venue', async () => {
    const request = aRequest({ entry: aLimitEntry(60_000) });
    playApproved(request, unknown);
    world.play({ findOrder: async () => parked, cancelOrder: async () => aReport('canceled') });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'parked' });
    await world.skip('1 hour');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'parked' });
    expect(asked()).not.toContain('cancelOrder');

    await tell(handle, aReport('new'));
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(asked()).toContain('cancelOrder');
  });

  test('asks the venue once more when a person wants it to look again', async () => {
    const request = aRequest();
    playApproved(request, unknown);
    world.play({ findOrder: async () => parked });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'parked' });

    world.play({ findOrder: async () => aReport('filled', filledBy('2', '200')) });
    await tell(handle, unknown);
    expect(await handle.result()).toMatchObject({ outcome: 'entered' });
  });
});

describe('canceled from outside', () => {
  test('cancels the order, and ends with what became of it', async () => {
    const request = aRequest({ entry: aLimitEntry() });
    playApproved(request, aReport('partiallyFilled', filledBy('0.5', '50')));
    world.play({ cancelOrder: async () => aReport('canceled', filledBy('0.5', '50')) });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'working' });
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ outcome: 'partly-entered', filledQuantity: '0.5' });
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'partly-entered' });
  });

  test('while it is placing, waits for the venue before it cancels', async () => {
    const request = aRequest({ entry: aLimitEntry() });
    const placed = aGate<OrderReported>();
    world.play({
      checkLimits: async () => approved(request),
      placeOrder: () => placed.opened,
      cancelOrder: async () => aReport('canceled'),
    });
    const handle = await start(request);
    await eventually(asked).toContain('placeOrder');
    await handle.cancel();
    placed.open(aReport('new'));
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(asked()).toEqual(['checkLimits', 'placeOrder', 'cancelOrder']);
  });

  test('before the decision, places nothing, gives back what was reserved, and answers who waits', async () => {
    const request = aRequest();
    const outage = aLongOutage(approved(request));
    world.play({ checkLimits: outage.activity, findOrder: async () => aReport('denied') });
    const handle = await start(request);
    const answer = decide(handle, request.tradeId);
    await eventually(outage.isWaitedFor).toBe(true);
    await handle.cancel();
    outage.end();

    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(await answer).toMatchObject({ outcome: 'approved' });
    expect(asked().at(-1)).toBe('findOrder');
    expect(asked()).not.toContain('placeOrder');
  });

  test('in doubt, does not end before somebody knows', async () => {
    const request = aRequest();
    playApproved(request, aReport('pendingNew', { inDoubt: true }));
    world.play({ findOrder: async () => aReport('parked', { inDoubt: true }) });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'parked' });
    await handle.cancel();
    await world.skip('1 day');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'parked' });
    await tell(handle, aReport('canceled'));
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
  });
});
