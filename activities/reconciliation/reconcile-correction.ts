import type { CorrectionView } from '../../src/contracts/messages/reconciliation.ts';
import { invariant } from '../../src/domain/invariant.ts';
import { type Settlement, settleCorrection as settle } from '../../src/store/reconciliation/corrections.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/** Carries out what a person has decided, or what the time has; once. */
export const createSettleCorrection = ({ db, now }: ActivityDependencies) =>
  async function settleCorrection(decided: Omit<Settlement, 'nowMs'>): Promise<CorrectionView> {
    const settled = await settle(db, { ...decided, nowMs: now() });
    invariant(settled !== undefined, `a correction that runs was proposed, ${decided.correctionId} was not`);
    return settled;
  };
