import { describe, expect, test } from 'vitest';
import { entryId } from '../../src/contracts/messages/names.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import { entriesOf } from './entries.ts';
import { approved, aReport, currentDetails, filledBy, searchAttributesOf } from './fixtures.ts';
import { aRequestOf } from './legs-book.ts';

const world = aWorkflowWorld();
const { asked, start, tell, viewOf } = entriesOf(world);

describe('several legs', () => {
  test('go out one after another, each once the one before is filled', async () => {
    const request = aRequestOf(2);
    world.play({
      checkLimits: async () => approved(request),
      placeOrder: async ({ leg }) => aReport('new', { leg, clientOrderId: `r1-t-e1-${leg}` }),
    });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'working', orders: [{ status: 'new' }, null] });
    await tell(handle, aReport('partiallyFilled', filledBy('1', '100')));
    await eventually(viewOf(handle)).toMatchObject({ orders: [{ filledQuantity: '1' }, null] });
    expect(asked()).toEqual(['checkLimits', 'placeOrder']);

    await tell(handle, aReport('filled', filledBy('2', '200')));
    await eventually(viewOf(handle)).toMatchObject({ orders: [{ status: 'filled' }, { status: 'new' }] });
    expect((await currentDetails(handle)).split('\n')).toEqual([
      '**working**: BUY 2 BTC/USDT at 100 GTC + BUY 2 ETH/USDT at 100 GTC',
      '- order `r1-t-e1`: filled, filled 2',
      '- order `r1-t-e1-1`: new, filled 0',
    ]);
    await tell(handle, aReport('filled', { leg: 1, clientOrderId: 'r1-t-e1-1', ...filledBy('2', '200') }));
    expect(await handle.result()).toMatchObject({ outcome: 'entered' });
  });

  test('wait while one of them is parked, for days, with what was filled as it is', async () => {
    const request = aRequestOf(3);
    const parked = aReport('parked', { leg: 1, clientOrderId: 'r1-t-e1-1', inDoubt: true });
    world.play({
      checkLimits: async () => approved(request),
      placeOrder: async ({ leg }) =>
        leg === 0 ? aReport('filled', filledBy('2', '200')) : { ...parked, status: 'pendingNew' },
      findOrder: async () => parked,
    });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'parked' });
    await world.skip('3 days');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'parked', orders: [{ status: 'filled' }, parked, null] });
    expect(asked()).toEqual(['checkLimits', 'placeOrder', 'placeOrder', 'findOrder']);
  });

  test('say that they are being sold again until the venue is flat, and not before', async () => {
    const request = aRequestOf(2);
    world.play({
      checkLimits: async () => approved(request),
      placeOrder: async ({ leg }) =>
        leg === 0 ? aReport('filled', filledBy('2', '200')) : aReport('rejected', { leg, clientOrderId: 'r1-t-e1-1' }),
      requestExit: async () => 'requested',
    });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'compensating' });
    await world.skip('1 hour');
    expect(await viewOf(handle)()).toMatchObject({ phase: 'compensating' });
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'compensating' });

    await world.handle(entryId(request.tradeId)).signal('positionClosed', {});
    expect(await handle.result()).toMatchObject({ outcome: 'compensated', filledQuantity: '2' });
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'compensated' });
  });
});
