import { allHandlersFinished, condition, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { CorrectionInput, CorrectionState, CorrectionVerdict } from '../src/contracts/messages/reconciliation.ts';
import { settleCorrection } from './activity-proxies.ts';
import { insist, refuse } from './failures.ts';
import * as messages from './messages.ts';

type Decision = CorrectionVerdict & { readonly verdict: 'approved' | 'rejected' };

/**
 * Waits until a person approves a correction or rejects it, and then has that carried out, once. When its time is over,
 * or nothing is left to correct, the book stays as it is.
 */
export async function correction(input: CorrectionInput): Promise<CorrectionState> {
  const { correctionId, expiresAtMs } = input;
  let decision: Decision | null = null;
  let isWithdrawn = false;
  let state: CorrectionState = 'proposed';
  setCurrentDetails(`**Waits for a person**: ${input.what}`);

  const decide = async (made: Decision): Promise<CorrectionState> => {
    decision ??= made;
    await condition(() => state !== 'proposed');
    return state;
  };
  const validatorOf = (verdict: Decision['verdict']) => (given: CorrectionVerdict) => {
    const faults = faultsOf(given);
    if (faults.length > 0) throw refuse('CORRECTION_UNREASONED', faults);
    // The same decision again is answered with what became of it.
    const decided = verdictOf(decision, state);
    if (isWithdrawn || (decided !== null && decided !== verdict)) {
      throw refuse('CORRECTION_DECIDED', [`it is ${isWithdrawn ? 'withdrawn' : decided}`]);
    }
  };
  setHandler(messages.correctionState, () => state);
  setHandler(messages.withdrawn, () => {
    isWithdrawn = true;
  });
  setHandler(messages.approve, (given) => decide({ ...given, verdict: 'approved' }), {
    validator: validatorOf('approved'),
  });
  setHandler(messages.reject, (given) => decide({ ...given, verdict: 'rejected' }), {
    validator: validatorOf('rejected'),
  });

  const waitMs = Math.max(1, expiresAtMs - Date.now());
  await condition(() => decision !== null || isWithdrawn, waitMs, { summary: 'until a person decides' });
  // Whatever came first, the database says what is: it may have taken the correction back already.
  const settled = await insist(() => settleCorrection(settlementOf(correctionId, decision)));
  state = settled?.state ?? 'superseded';
  setCurrentDetails(`**${state}**: ${input.what}`);
  await condition(allHandlersFinished);
  return state;
}

const settlementOf = (correctionId: string, decision: Decision | null) => ({
  correctionId,
  verdict: decision?.verdict ?? ('expired' as const),
  actor: decision?.actor ?? null,
  reason: decision?.reason ?? null,
});

function verdictOf(decision: Decision | null, state: CorrectionState): string | null {
  if (decision !== null) return decision.verdict;
  return state === 'proposed' ? null : state;
}

/** Anybody may send an update: its form is checked here as well. */
function faultsOf(given: Partial<CorrectionVerdict> | undefined): readonly string[] {
  return [
    ...(isText(given?.actor) ? [] : ['actor is who decides, a text']),
    ...(isText(given?.reason) ? [] : ['reason is why, a text']),
  ];
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '' && value.length <= 500;
