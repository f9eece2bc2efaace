import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type GuardChanged,
  type PositionClosed,
  queries,
  type StopAmendment,
  signals,
  updates,
} from '../../src/contracts/messages/messages.ts';
import { stopId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { StopView } from '../../src/contracts/messages/views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { amendDistance, type TrailingStop } from '../../src/domain/trailing-stop.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import {
  aLongOutage,
  aStopView,
  aTradeId,
  closedTrade,
  currentDetails,
  eventNamesOf,
  searchAttributesOf,
  storyOf,
} from './fixtures.ts';

const world = aWorkflowWorld();

const start = (tradeId = aTradeId()) =>
  world.start(workflowTypes.trailingStop, {
    workflowId: stopId(tradeId),
    taskQueue: taskQueues.guards,
    args: [{ tradeId, account: 'main', strategy: 'ma-cross', symbol: 'BTC/USDT' }],
  });

const viewOf = (handle: WorkflowHandle) => () => handle.query<StopView | null, []>(queries.stop);
const tell = (handle: WorkflowHandle, change: GuardChanged) =>
  handle.signal<[GuardChanged]>(signals.guardChanged, change);
const close = (handle: WorkflowHandle) =>
  handle.signal<[PositionClosed]>(signals.positionClosed, closedTrade(handle.workflowId));
const amend = (handle: WorkflowHandle, amendment: unknown) =>
  handle.executeUpdate<StopView, [StopAmendment]>(updates.amendStop, { args: [amendment as StopAmendment] });

const tighter: StopAmendment = { distance: decimal('0.5'), actor: 'ana', reason: 'the news' };

const untilArmed = (handle: WorkflowHandle) =>
  eventually(viewOf(handle)).toMatchObject({ stop: { status: 'trailing' } });

describe('trails', () => {
  test('from its arming to the end of the position, and shows where it stands', async () => {
    world.play({ armTrailingStop: async (tradeId) => aStopView(tradeId) });
    const handle = await start();
    await untilArmed(handle);
    expect((await currentDetails(handle)).split('\n')).toEqual([
      '**trailing**: BTC/USDT long, stop 99.2',
      '- 0.8 (percent) behind 100',
    ]);
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'trailing' });

    for (const change of storyOf(['110', '105'])) await tell(handle, change);
    await eventually(viewOf(handle)).toMatchObject({ stop: { status: 'triggered', stopPrice: '109.12' } });
    expect(await currentDetails(handle)).toContain('- triggered at 105');
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'triggered' });

    await close(handle);
    expect(await handle.result()).toMatchObject({ triggeredAtPrice: '105', stop: { status: 'triggered' } });
  });

  test('ends the same in whatever order, and however often, it is told', async () => {
    const story = storyOf(['101', '104', '103.9', '107', '112', '111.9', '115', '113']);
    expect(story.length).toBeGreaterThan(4);
    const delivery = fc.shuffledSubarray([...story, ...story], { minLength: 2 * story.length });
    const property = fc.asyncProperty(delivery, async (told) => {
      world.play({ armTrailingStop: async (tradeId) => aStopView(tradeId) });
      const handle = await start();
      for (const change of told) await tell(handle, change);
      await close(handle);
      const end = story.at(-1);
      expect(await handle.result()).toMatchObject({ stop: end?.stop, triggeredAtPrice: end?.triggered?.price });
    });
    await fc.assert(property, { numRuns: 15 });
  });

  test('only tightens, whatever it is told', async () => {
    world.play({ armTrailingStop: async (tradeId) => aStopView(tradeId) });
    const handle = await start();
    await untilArmed(handle);
    const loose: TrailingStop = { status: 'trailing', extreme: decimal('90'), stopPrice: decimal('89.28') };
    await tell(handle, { kind: 'trailingStop', version: 1, stop: loose });
    expect(await viewOf(handle)()).toMatchObject({ stop: { stopPrice: '99.2' } });
  });

  test('hears nothing of other guards', async () => {
    world.play({ armTrailingStop: async (tradeId) => aStopView(tradeId) });
    const handle = await start();
    await untilArmed(handle);
    const [change] = storyOf(['110']);
    await tell(handle, { ...(change as GuardChanged), kind: 'stopLoss' });
    expect(await viewOf(handle)()).toMatchObject({ stop: { extreme: '100' } });
  });

  test('takes up what it was told before it was armed', async () => {
    const tradeId = aTradeId();
    const outage = aLongOutage(aStopView(tradeId));
    world.play({ armTrailingStop: outage.activity });
    const handle = await start(tradeId);
    await eventually(outage.isWaitedFor).toBe(true);
    for (const change of storyOf(['110', '105'])) await tell(handle, change);
    expect(await viewOf(handle)()).toBeNull();
    outage.end();
    await world.skip('1 minute');
    await eventually(viewOf(handle)).toMatchObject({ triggeredAtPrice: '105', stop: { stopPrice: '109.12' } });
  });

  test('goes on arming after a failure for good, until the position is closed', async () => {
    world.play({ armTrailingStop: async () => Promise.reject(new RatchetError('SYMBOL_UNKNOWN')) });
    const handle = await start();
    await eventually(() => world.calls().length).toBe(1);
    await world.skip('15 seconds');
    await eventually(() => world.calls().length).toBe(2);
    await close(handle);
    expect(await handle.result()).toBeNull();
  });

  test('stays when it is canceled, and hears who amends it', async () => {
    world.play({
      armTrailingStop: async (tradeId) => aStopView(tradeId),
      amendTrailingStop: async ({ tradeId }) => aStopView(tradeId, { version: 2 }),
    });
    const handle = await start();
    await untilArmed(handle);
    await handle.cancel();
    for (const change of storyOf(['110'])) await tell(handle, change);
    expect(await amend(handle, tighter)).toMatchObject({ version: 2, stop: { stopPrice: '109.12' } });
    await close(handle);
    expect(await handle.result()).toMatchObject({ stop: { stopPrice: '109.12' } });
  });

  test('ends without a word when the trade is on its way out already', async () => {
    world.play({ armTrailingStop: async () => null });
    const handle = await start();
    expect(await handle.result()).toBeNull();
  });
});

describe('an amendment', () => {
  test('tightens the stop at once', async () => {
    world.play({
      armTrailingStop: async (tradeId) => aStopView(tradeId),
      amendTrailingStop: async ({ tradeId, amendment }) => {
        const armed = aStopView(tradeId);
        return { ...armed, version: 2, ...amendDistance(armed.rules, armed.stop, amendment.distance) };
      },
    });
    const handle = await start();
    expect(await amend(handle, tighter)).toMatchObject({
      version: 2,
      rules: { distance: '0.5' },
      stop: { stopPrice: '99.5' },
    });
    expect(world.calls().at(-1)?.args).toMatchObject([{ amendment: tighter }]);
    expect(await currentDetails(handle)).toContain('- 0.5 (percent) behind 100');
    expect(await eventNamesOf(handle)).toContain('workflowExecutionUpdateAccepted');
  });

  test('keeps what the watch told while the book was written', async () => {
    const tradeId = aTradeId();
    const outage = aLongOutage(aStopView(tradeId, { version: 2 }));
    world.play({ armTrailingStop: async () => aStopView(tradeId), amendTrailingStop: outage.activity });
    const handle = await start(tradeId);
    await untilArmed(handle);
    const amended = amend(handle, tighter);
    await eventually(outage.isWaitedFor).toBe(true);
    for (const change of storyOf(['110'])) await tell(handle, change);
    outage.end();
    await world.skip('1 minute');
    expect(await amended).toMatchObject({ version: 2, stop: { extreme: '110', stopPrice: '109.12' } });
  });

  test.each<{ name: string; amendment: unknown; says: string }>([
    { name: 'loosens', amendment: { ...tighter, distance: '1.2' }, says: 'TRAILING_AMENDMENT_LOOSENS' },
    {
      name: 'has no distance to speak of',
      amendment: { ...tighter, distance: '0' },
      says: 'TRAILING_DISTANCE_INVALID',
    },
    { name: 'has a number that is not one', amendment: { ...tighter, distance: '0x' }, says: 'distance is a decimal' },
    { name: 'has a JavaScript number', amendment: { ...tighter, distance: 0.5 }, says: 'distance is a decimal' },
    { name: 'says not who asks', amendment: { ...tighter, actor: ' ' }, says: 'actor is who asks' },
    { name: 'is null', amendment: null, says: 'reason is a text' },
  ])('that $name is refused with a code, and leaves nothing in the history', async ({ amendment, says }) => {
    world.play({ armTrailingStop: async (tradeId) => aStopView(tradeId) });
    const handle = await start();
    await untilArmed(handle);
    const refused = await amend(handle, amendment).catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
    const { cause } = refused as WorkflowUpdateFailedError;
    expect(cause).toMatchObject({ type: 'STOP_AMENDMENT_REFUSED', message: expect.stringContaining(says) });
    expect(await eventNamesOf(handle)).not.toContainEqual(expect.stringContaining('Update'));
    expect(world.calls().map(({ activity }) => activity)).toEqual(['armTrailingStop']);
  });

  test('of a stop that has triggered is refused', async () => {
    world.play({ armTrailingStop: async (tradeId) => aStopView(tradeId) });
    const handle = await start();
    for (const change of storyOf(['99'])) await tell(handle, change);
    await expect(amend(handle, tighter)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('TRAILING_STOP_TRIGGERED') },
    });
  });

  test('that the book refuses is refused with its code', async () => {
    world.play({
      armTrailingStop: async (tradeId) => aStopView(tradeId),
      amendTrailingStop: async () => {
        throw ApplicationFailure.nonRetryable('The trade has no stop that runs.', 'STOP_AMENDMENT_REFUSED');
      },
    });
    const handle = await start();
    await expect(amend(handle, tighter)).rejects.toMatchObject({ cause: { type: 'STOP_AMENDMENT_REFUSED' } });
    // And the stop lives on.
    expect(await viewOf(handle)()).toMatchObject({ rules: { distance: '0.8' } });
  });

  test('that waits for the arming is refused when there is nothing to guard', async () => {
    const outage = aLongOutage<StopView | null>(null);
    world.play({ armTrailingStop: outage.activity });
    const handle = await start();
    await eventually(outage.isWaitedFor).toBe(true);
    const refused = amend(handle, tighter).catch((error: unknown) => error);
    outage.end();
    expect(await handle.result()).toBeNull();
    expect(await refused).toMatchObject({ cause: { type: 'STOP_AMENDMENT_REFUSED' } });
  });
});
