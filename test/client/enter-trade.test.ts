import {
  type Client,
  NamespaceNotFoundError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { RatchetClientError } from '../../src/client/client-error.ts';
import { enterTrade, parsedRequest } from '../../src/client/enter-trade.ts';
import type { EntryDecision } from '../../src/contracts/messages/decision.ts';
import type { StoredDecision } from '../../src/contracts/schemas/trade-view.ts';
import { aRequest } from './requests.ts';

const approved: EntryDecision = {
  tradeId: 'bot-btc-1',
  outcome: 'approved',
  reasons: [],
  evaluations: [],
  decidedAtMs: 1_795_262_400_100,
};

const stored = (request = aRequest()): StoredDecision => ({
  tradeId: 'bot-btc-1',
  request: JSON.parse(JSON.stringify(parsedRequest(request))),
  decision: approved,
});

/** A Temporal that answers the calls in turn; the last answer stays. */
function temporalThat(...answers: readonly (EntryDecision | Error)[]): { temporal: Client; calls: unknown[] } {
  const calls: unknown[] = [];
  const temporal = {
    withDeadline: (_deadline: number, call: () => unknown) => call(),
    workflow: {
      executeUpdateWithStart: async (update: string, options: unknown) => {
        const answer = answers[Math.min(calls.length, answers.length - 1)];
        calls.push([update, options]);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
  };
  return { temporal: temporal as unknown as Client, calls };
}

const enter = (temporal: Client, book: StoredDecision | undefined, request = aRequest()) =>
  enterTrade(request, { temporal, readDecision: async () => book });

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RatchetClientError);
  return (error as RatchetClientError).code;
}

const refusedWith = (code: string, details: unknown = {}) =>
  new WorkflowUpdateFailedError('refused', ApplicationFailure.nonRetryable(`${code}: no`, code, details));
const grpc = (code: number) => new ServiceError('failed', { cause: Object.assign(new Error('grpc'), { code }) });
const timeout = new WorkflowUpdateRPCTimeoutOrCancelledError('deadline exceeded');
const overAlready = new WorkflowExecutionAlreadyStartedError('started', 'entry-bot-btc-1', 'entry');

describe('enterTrade', () => {
  test('starts the entry under its own id and asks it for the decision, in one call', async () => {
    const { temporal, calls } = temporalThat(approved);
    expect(await enter(temporal, stored())).toEqual(approved);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject([
      'decide',
      {
        updateId: 'bot-btc-1',
        startWorkflowOperation: {
          workflowTypeOrFunc: 'entry',
          options: {
            workflowId: 'entry-bot-btc-1',
            taskQueue: 'ratchet-entries',
            workflowIdConflictPolicy: 'USE_EXISTING',
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            staticSummary: 'BUY 0.0125 BTC/USDT @ 46210.5 GTC, stop 45500',
          },
        },
      },
    ]);
  });

  test('sends nothing when the request has faults, and names every one', async () => {
    const { temporal, calls } = temporalThat(approved);
    const wrong = aRequest({ legs: [{ symbol: 'btcusdt', side: 'HOLD', quantity: 1 }], colour: 'blue' });
    const error = await enter(temporal, undefined, wrong).catch((thrown: unknown) => thrown);
    expect(calls).toEqual([]);
    expect((error as RatchetClientError).code).toBe('REQUEST_INVALID');
    expect((error as RatchetClientError).faults.map(({ field }) => field).toSorted()).toEqual([
      'colour',
      'legs[0].quantity',
      'legs[0].side',
      'legs[0].symbol',
    ]);
  });

  test.each([
    { name: 'other content, while the first still runs', answer: approved },
    { name: 'other content, once the first is over', answer: overAlready },
    { name: 'other content, and no answer', answer: timeout },
  ])('refuses the same trade id with $name', async ({ answer }) => {
    const other = stored(aRequest({ legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: '0.02' }] }));
    expect(await codeOf(enter(temporalThat(answer).temporal, other))).toBe('TRADE_ID_MISMATCH');
  });

  test('takes the same decimals in another form for the same content', async () => {
    const rewritten = aRequest({ entry: { timeInForce: 'GTC', price: '46210.5', type: 'LIMIT' } });
    expect(await enter(temporalThat(approved).temporal, stored(rewritten))).toEqual(approved);
  });

  test('takes fields that are undefined for fields that are not there', async () => {
    const sparse = aRequest({ reason: undefined, exit: { stopLoss: { price: '45500' }, takeProfit: undefined } });
    expect(await enter(temporalThat(approved).temporal, stored(), sparse)).toEqual(approved);
  });

  test('knows every field again that a request can have', async () => {
    const whole = aRequest({
      entry: { type: 'LIMIT', price: '46210.50', timeInForce: 'IOC', expireAfterMs: 30_000, maxSlippageBps: 25 },
      exit: {
        stopLoss: { price: '45500' },
        takeProfit: { price: '48000' },
        timeStopMs: 86_400_000,
        trailingStop: { by: 'percent', distance: '0.80', activation: { profitPercent: '0.5' }, trigger: 'last' },
      },
      reason: 'fast average crossed above slow',
      metadata: { signalId: 's-118' },
    });
    expect(await enter(temporalThat(approved).temporal, stored(whole), whole)).toEqual(approved);
  });

  test.each([
    { name: 'the workflow is over', answer: overAlready },
    { name: 'the call ran out of time', answer: timeout },
    { name: 'Temporal is away', answer: grpc(14) },
    { name: 'the entry failed', answer: refusedWith('DATABASE_UNAVAILABLE') },
  ])('reads the decision from the book when $name', async ({ answer }) => {
    expect(await enter(temporalThat(answer).temporal, stored())).toEqual(approved);
  });

  test.each([
    { name: 'nothing was decided in time', answer: timeout, code: 'UNDECIDED' },
    { name: 'the entry is over without a decision', answer: overAlready, code: 'ENTRY_ENDED_UNDECIDED' },
    {
      name: 'the entry ended because the database was away',
      answer: refusedWith('DATABASE_UNAVAILABLE'),
      code: 'ENTRY_ENDED_UNDECIDED',
    },
    { name: 'the entry refuses the request', answer: refusedWith('REQUEST_INVALID'), code: 'REQUEST_INVALID' },
    { name: 'the namespace does not exist', answer: new NamespaceNotFoundError('none'), code: 'TEMPORAL_REFUSED' },
    { name: 'the credentials are refused', answer: grpc(7), code: 'TEMPORAL_REFUSED' },
    { name: 'Temporal is away', answer: grpc(14), code: 'TEMPORAL_UNAVAILABLE' },
  ])('throws $code when $name', async ({ answer, code }) => {
    expect(await codeOf(enter(temporalThat(answer).temporal, undefined))).toBe(code);
  });

  test('passes on the faults that the entry found', async () => {
    const faults = [{ field: 'account', value: '"x"', allowed: 'a configured account' }];
    const { temporal } = temporalThat(refusedWith('REQUEST_INVALID', { faults }));
    const error = await enter(temporal, undefined).catch((thrown: unknown) => thrown);
    expect((error as RatchetClientError).faults).toEqual(faults);
  });

  test('asks again when the server lost the update', async () => {
    const { temporal, calls } = temporalThat(new WorkflowNotFoundError('gone', 'x', undefined), approved);
    expect(await enter(temporal, stored())).toEqual(approved);
    expect(calls).toHaveLength(2);
  });
});
