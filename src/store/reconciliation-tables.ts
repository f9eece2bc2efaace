import type { Generated } from 'kysely';
import type { CorrectionState, ReconciliationReport } from '../contracts/messages/reconciliation.ts';
import type { Decimal } from '../domain/decimal.ts';
import type { CorrectionKind } from '../domain/reconciliation/correction.ts';
import type { Difference } from '../domain/reconciliation/difference.ts';
import type { Identity, Json, JsonOrNull } from './column-types.ts';

export type ReconciliationTable = {
  account_id: string;
  version: Generated<number>;
  folded_until_ms: number;
  has_baseline: Generated<boolean>;
  looked_at_ms: number | null;
  completed_at_ms: number | null;
  clean_at_ms: number | null;
  last_run: JsonOrNull<ReconciliationReport>;
};

export type ExpectedBalanceTable = { account_id: string; asset: string; quantity: Decimal };

export type BalanceFlowView = {
  account_id: string;
  observed_at_ms: number;
  transacted_at_ms: number;
  venue_trade_id: string;
  asset: string;
  change: Decimal;
};

export type DifferenceTable = {
  difference_id: Identity;
  account_id: string;
  difference_key: string;
  content: Json<Difference>;
  revision: Generated<number>;
  found_at_ms: number;
  changed_at_ms: number;
  ended_at_ms: number | null;
  ending: 'gone' | 'corrected' | null;
};

export type CorrectionTable = {
  correction_id: string;
  difference_id: number;
  account_id: string;
  kind: CorrectionKind;
  content: Json<Difference>;
  state: CorrectionState;
  proposed_at_ms: number;
  expires_at_ms: number;
  settled_at_ms: number | null;
  actor: string | null;
  reason: string | null;
};
