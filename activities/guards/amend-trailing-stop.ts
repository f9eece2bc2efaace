import { ApplicationFailure } from '@temporalio/common';
import type { StopAmendment } from '../../src/contracts/messages/messages.ts';
import type { StopView } from '../../src/contracts/messages/views.ts';
import { describe } from '../../src/domain/errors.ts';
import * as guards from '../../src/store/guards/guards.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/** Protects more tightly from now on: a smaller distance, and the stop moves up to it. It never loosens. */
export const createAmendTrailingStop = ({ db, now }: ActivityDependencies) =>
  async function amendTrailingStop(input: {
    readonly tradeId: string;
    readonly amendment: StopAmendment;
  }): Promise<StopView> {
    const amended = await guards.amendTrailingStop(db, { ...input, nowMs: now() });
    if (amended.outcome === 'amended') return amended.view;
    throw ApplicationFailure.nonRetryable(
      describe('STOP_AMENDMENT_REFUSED', { faults: amended.faults.join('; ') }),
      'STOP_AMENDMENT_REFUSED',
    );
  };
