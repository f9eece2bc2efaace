import { WorkflowFailedError, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { createCheckLimits } from '../../activities/check-limits.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { entryStart } from '../../src/client/entry-start.ts';
import type { EntryDecision } from '../../src/contracts/messages/decision.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { type OrderReported, queries, signals, updates } from '../../src/contracts/messages/messages.ts';
import { entryId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import type { EntryView } from '../../src/contracts/messages/views.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { aWorkflowWorld, eventually } from '../support/workflow-environment.ts';
import {
  aGate,
  aLimitEntry,
  aLongOutage,
  approved,
  aReport,
  aRequest,
  aTradeId,
  type Checked,
  currentDetails,
  denied,
  filledBy,
  searchAttributesOf,
} from './fixtures.ts';

const world = aWorkflowWorld();

const start = (request: EntryRequest) => world.start(workflowTypes.entry, entryStart(request));
const viewOf = (handle: WorkflowHandle) => () => handle.query<EntryView, []>(queries.entry);
const decide = (handle: WorkflowHandle, updateId: string) =>
  handle.executeUpdate<EntryDecision, []>(updates.decide, { updateId });
const tell = (handle: WorkflowHandle, report: OrderReported) =>
  handle.signal<[OrderReported]>(signals.orderReported, report);
const activities = () => world.calls().map(({ activity }) => activity);

/** Approves, and places so that the venue answers with `placed`. */
const playApproved = (request: EntryRequest, placed: OrderReported): void =>
  world.play({ checkLimits: async () => approved(request), placeOrder: async () => placed });

describe('decided', () => {
  test('ends with the denial and its reasons, and places nothing', async () => {
    const request = aRequest();
    world.play({ checkLimits: async () => denied(request) });
    const handle = await start(request);

    const outcome = await handle.result();
    expect(outcome).toMatchObject({ tradeId: request.tradeId, outcome: 'denied', filledQuantity: '0' });
    expect(outcome).toMatchObject({ decision: { reasons: [{ code: 'TRADING_STATE_BLOCKED' }] } });
    expect(activities()).toEqual(['checkLimits']);
    expect(await currentDetails(handle)).toContain('- A hold is in force. Look up the hold.');
    expect(await searchAttributesOf(handle)).toMatchObject({ RatchetState: 'denied' });
  });

  test('leaves a trade to the run that has taken it past its approval', async () => {
    const request = aRequest();
    world.play({ checkLimits: async () => ({ ...approved(request), outcome: 'existing' }) });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'existing', decision: { outcome: 'approved' } });
    expect(activities()).toEqual(['checkLimits']);
  });

  test('answers who asks before the decision, who asks after it, and who asks twice, with the one decision', async () => {
    const request = aRequest({ entry: aLimitEntry() });
    const decision = aGate<Checked>();
    world.play({ checkLimits: () => decision.opened, placeOrder: async () => aReport('new') });
    const handle = await start(request);

    const before = decide(handle, request.tradeId);
    decision.open(approved(request));
    const answers = [await before, await decide(handle, request.tradeId), await decide(handle, 'another')];
    expect(answers).toEqual(Array(3).fill(approved(request).decision));
    expect(activities().filter((name) => name === 'checkLimits')).toHaveLength(1);

    await tell(handle, aReport('filled', filledBy('2', '200')));
    await handle.result();
    // Over by now, and the stored answer is still the same.
    expect(await decide(handle, request.tradeId)).toEqual(approved(request).decision);
  });

  test('waits for a database that is gone by timers, not inside a workflow task, and decides once it is back', async () => {
    const request = aRequest();
    let attempts = 0;
    world.play({
      checkLimits: async () => {
        attempts += 1;
        if (attempts < 12) throw new RatchetError('DATABASE_UNAVAILABLE');
        return denied(request);
      },
    });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'denied' });
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.timerFiredEventAttributes).length).toBeGreaterThan(4);
  });
});

function fieldsOf(cause: unknown): ReadonlySet<string> {
  const [details] = (cause as ApplicationFailure).details as [{ faults?: readonly { field: string }[] }];
  return new Set(details.faults?.map(({ field }) => field));
}

describe('refused', () => {
  // The real one: what it checks comes before whatever needs a database.
  const checkLimits = createCheckLimits({ rooms: new Map([['paper', {}]]) } as unknown as ActivityDependencies);

  const { tradeId: _, ...withoutTradeId } = aRequest();
  test.each<{ name: string; input: unknown; code: string; faults?: readonly string[] }>([
    { name: 'null', input: null, code: 'REQUEST_INVALID', faults: ['(the whole input)'] },
    { name: 'a text', input: 'BTC', code: 'REQUEST_INVALID', faults: ['(the whole input)'] },
    { name: 'a list', input: [], code: 'REQUEST_INVALID', faults: ['(the whole input)'] },
    { name: 'no trade id', input: withoutTradeId, code: 'REQUEST_INVALID', faults: ['tradeId'] },
    {
      name: 'a trade id that is a number',
      input: { ...withoutTradeId, tradeId: 7 },
      code: 'REQUEST_INVALID',
      faults: ['tradeId'],
    },
    {
      name: 'legs and terms of another shape',
      input: { ...withoutTradeId, legs: 'BTC', entry: { type: 'STOP' }, exit: {} },
      code: 'REQUEST_INVALID',
      faults: ['tradeId', 'legs', 'entry.type', 'exit'],
    },
    { name: 'the trade id of another workflow', input: aRequest(), code: 'WORKFLOW_ID_INVALID' },
  ])('$name fails the workflow and whoever waits, with the code and all faults', async ({ input, code, faults }) => {
    world.play({ checkLimits });
    const workflowId = entryId(aTradeId());
    const handle = await world.start(workflowTypes.entry, {
      workflowId,
      taskQueue: taskQueues.entries,
      args: [input],
    });
    const update = decide(handle, 'who-waits').catch((error: unknown) => error);
    const failed = await handle.result().catch((error: unknown) => error);

    expect(failed).toBeInstanceOf(WorkflowFailedError);
    expect(await update).toBeInstanceOf(WorkflowUpdateFailedError);
    for (const { cause } of [failed, await update] as WorkflowFailedError[]) {
      expect(cause).toBeInstanceOf(ApplicationFailure);
      expect(cause).toMatchObject({ type: code, nonRetryable: true });
      expect(fieldsOf(cause)).toEqual(new Set(faults));
    }
  });
});

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
    await eventually(viewOf(handle)).toMatchObject({ order: { status: 'new' } });
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
    const request = aRequest({ entry: aLimitEntry(60_000) });
    playApproved(request, aReport('partiallyFilled', filledBy('0.5', '50')));
    world.play({ cancelOrder: async () => aReport('canceled', filledBy('0.5', '50')) });
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'working' });
    await world.skip(59_000);
    expect(activities()).not.toContain('cancelOrder');

    expect(await handle.result()).toMatchObject({ outcome: 'partly-entered', filledQuantity: '0.5' });
    expect(activities()).toEqual(['checkLimits', 'placeOrder', 'cancelOrder']);
  });

  test('is entered after all when the fill crosses the cancel', async () => {
    const request = aRequest({ entry: aLimitEntry(60_000) });
    playApproved(request, aReport('new'));
    world.play({ cancelOrder: async () => aReport('filled', filledBy('2', '200')) });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'entered', filledQuantity: '2' });
  });

  test('does not cancel an order that fills in time, and leaves no timer behind', async () => {
    const request = aRequest({ entry: aLimitEntry(60_000) });
    playApproved(request, aReport('new'));
    const handle = await start(request);
    await eventually(viewOf(handle)).toMatchObject({ phase: 'working' });
    await tell(handle, aReport('filled', filledBy('2', '200')));
    expect(await handle.result()).toMatchObject({ outcome: 'entered' });
    expect(activities()).not.toContain('cancelOrder');
  });

  test('goes on canceling until the venue can be asked', async () => {
    const request = aRequest({ entry: aLimitEntry(60_000) });
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

describe('in doubt', () => {
  const unknown = aReport('pendingNew', { inDoubt: true });
  const parked = aReport('parked', { inDoubt: true });

  test('asks the venue, never places again, and adopts the order that is found', async () => {
    const request = aRequest();
    playApproved(request, unknown);
    world.play({ findOrder: async () => aReport('filled', filledBy('2', '200')) });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'entered', filledQuantity: '2' });
    expect(activities()).toEqual(['checkLimits', 'placeOrder', 'findOrder']);
  });

  test('asks the venue when the placement has run out of time', async () => {
    const request = aRequest();
    playApproved(request, unknown);
    world.play({
      placeOrder: async () => {
        throw ApplicationFailure.create({ message: 'not placed', type: 'ORDER_NOT_PLACED', nextRetryDelay: '20 s' });
      },
      findOrder: async () => aReport('denied', { reasonCode: 'ENTRY_NOT_SENT' }),
    });
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(activities().slice(-2)).toEqual(['placeOrder', 'findOrder']);
    expect(activities().filter((name) => name === 'placeOrder')).toHaveLength(3);
  });

  test('asks the venue when the placement fails for good', async () => {
    const request = aRequest();
    playApproved(request, unknown);
    world.play({
      placeOrder: async () => Promise.reject(new RatchetError('VENUE_KEY_REFUSED')),
      findOrder: async () => aReport('denied', { reasonCode: 'ENTRY_NOT_SENT' }),
    });
    expect(await (await start(request)).result()).toMatchObject({ outcome: 'unfilled' });
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
    await eventually(() => activities()).toContain('findOrder');
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
    expect(activities().filter((name) => name === 'findOrder')).toHaveLength(1);

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
    expect(activities()).not.toContain('cancelOrder');

    await tell(handle, aReport('new'));
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(activities()).toContain('cancelOrder');
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
    await eventually(() => activities()).toContain('placeOrder');
    await handle.cancel();
    placed.open(aReport('new'));
    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(activities()).toEqual(['checkLimits', 'placeOrder', 'cancelOrder']);
  });

  test('before the decision, places nothing, gives back what was reserved, and answers who waits', async () => {
    const request = aRequest();
    const outage = aLongOutage(approved(request));
    world.play({ checkLimits: outage.activity, findOrder: async () => aReport('denied') });
    const handle = await start(request);
    const asked = decide(handle, request.tradeId);
    await eventually(outage.isWaitedFor).toBe(true);
    await handle.cancel();
    outage.end();

    expect(await handle.result()).toMatchObject({ outcome: 'unfilled' });
    expect(await asked).toMatchObject({ outcome: 'approved' });
    expect(activities().at(-1)).toBe('findOrder');
    expect(activities()).not.toContain('placeOrder');
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
