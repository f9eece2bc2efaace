import {
  type Client,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { decideCorrection, reconcileNow } from '../../src/client/reconciliation.ts';
import type { CorrectionState, CorrectionView } from '../../src/contracts/messages/reconciliation.ts';

type Played = {
  readonly start?: () => Promise<unknown>;
  readonly result?: () => Promise<unknown>;
  readonly update?: (name: string, options: unknown) => Promise<unknown>;
};

function temporalThat({ start, result, update }: Played) {
  const started: unknown[] = [];
  const temporal = {
    withDeadline: (_: number, call: () => Promise<unknown>) => call(),
    workflow: {
      start: async (...given: unknown[]) => {
        started.push(given);
        return start?.();
      },
      getHandle: () => ({ result, executeUpdate: update, describe: async () => ({}) }),
    },
  } as unknown as Client;
  return { temporal, started };
}

const asked = { venue: 'paper', account: 'main', isFullDay: false, askedBy: 'ana', commandId: 'c-1' };

describe('a run that is asked for', () => {
  test('starts a workflow of its own and answers with its report', async () => {
    const { temporal, started } = temporalThat({ result: async () => ({ outcome: 'clean' }) });
    expect(await reconcileNow(temporal, asked)).toEqual({ outcome: 'clean' });
    expect(started).toMatchObject([
      ['reconciliation', { workflowId: 'reconciliation-paper-main-asked-c-1', args: [{ askedBy: 'ana' }] }],
    ]);
  });

  test('under the same command id waits for the run that is there', async () => {
    const { temporal } = temporalThat({
      start: () => Promise.reject(new WorkflowExecutionAlreadyStartedError('there', 'id', 'reconciliation')),
      result: async () => ({ outcome: 'clean' }),
    });
    expect(await reconcileNow(temporal, asked)).toEqual({ outcome: 'clean' });
  });

  test('that fails says with which code of the catalog', async () => {
    const cause = ApplicationFailure.nonRetryable('away', 'DATABASE_UNAVAILABLE');
    const activity = new ActivityFailure('failed', 'reconcileAccount', '1', RetryState.TIMEOUT, 'w', cause);
    const { temporal } = temporalThat({
      result: () => Promise.reject(new WorkflowFailedError('failed', activity, RetryState.TIMEOUT)),
    });
    await expect(reconcileNow(temporal, asked)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  });

  test.each([
    { as: 'by itself', wrap: (cause: Error) => cause },
    { as: 'inside an error of the client', wrap: (cause: Error) => new ServiceError('Failed to start', { cause }) },
  ])('while Temporal does not answer, told $as, is TEMPORAL_UNAVAILABLE', async ({ wrap }) => {
    const silence = Object.assign(new Error('14'), { code: 14, details: 'down', metadata: {} });
    const { temporal } = temporalThat({ start: () => Promise.reject(wrap(silence)) });
    await expect(reconcileNow(temporal, asked)).rejects.toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' });
  });
});

describe('a decision on a correction', () => {
  const decision = { correctionId: 'balance-USDT-1', verdict: 'approve', actor: 'ana', reason: 'mine' } as const;
  const inState = (state: CorrectionState) => ({ correctionId: 'balance-USDT-1', state }) as CorrectionView;
  const reading = (...states: readonly CorrectionState[]) => {
    const left = [...states];
    return async () => {
      const state = left.length > 1 ? left.shift() : left[0];
      return state === undefined ? undefined : inState(state);
    };
  };

  test('is sent as an update with who and why, and answered with what the book says afterwards', async () => {
    const sent: unknown[] = [];
    const { temporal } = temporalThat({ update: async (...given) => void sent.push(given) });
    const settled = await decideCorrection(decision, { temporal, readCorrection: reading('proposed', 'applied') });
    expect(settled).toEqual(inState('applied'));
    expect(sent).toEqual([['approve', { args: [{ actor: 'ana', reason: 'mine' }] }]]);
  });

  test.each([
    { states: [] as const, code: 'CORRECTION_UNKNOWN' },
    { states: ['expired'] as const, code: 'CORRECTION_DECIDED' },
    { states: ['proposed', 'superseded'] as const, code: 'CORRECTION_DECIDED' },
  ])('on one that was $states is $code', async ({ states, code }) => {
    const { temporal } = temporalThat({
      update: () => Promise.reject(new WorkflowNotFoundError('gone', 'id', undefined)),
    });
    await expect(decideCorrection(decision, { temporal, readCorrection: reading(...states) })).rejects.toMatchObject({
      code,
    });
  });

  test('that the workflow refuses is refused with its code', async () => {
    const refusal = ApplicationFailure.nonRetryable('decided', 'CORRECTION_DECIDED');
    const { temporal } = temporalThat({ update: () => Promise.reject(new WorkflowUpdateFailedError('x', refusal)) });
    await expect(decideCorrection(decision, { temporal, readCorrection: reading('proposed') })).rejects.toMatchObject({
      code: 'CORRECTION_DECIDED',
    });
  });
});
