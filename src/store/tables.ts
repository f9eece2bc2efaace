import type { ColumnType, Generated, Insertable, Selectable } from 'kysely';
import type { GuardKind, HoldLevel, HoldScope, HoldSource } from '../contracts/messages/messages.ts';
import type { SweepState } from '../domain/cancel-sweep.ts';
import type { BreakerState } from '../domain/circuit-breaker.ts';
import type { Decimal } from '../domain/decimal.ts';
import type { ErrorCode, ErrorContext } from '../domain/errors.ts';
import type { Guard } from '../domain/guard.ts';
import type { RatePause } from '../domain/rate-limit.ts';
import type {
  AccountTable,
  BalanceTable,
  ExitRequestTable,
  FillTable,
  OrderSendTable,
  OrderTable,
  PositionTable,
  ReservationTable,
  TradeTable,
} from './book-tables.ts';
import type { Identity, Json, JsonOrNull } from './column-types.ts';
import type {
  BalanceFlowView,
  CorrectionTable,
  DifferenceTable,
  ExpectedBalanceTable,
  ReconciliationTable,
} from './reconciliation-tables.ts';

export type { TradePhase } from './book-tables.ts';

type OutboxAction = 'signal' | 'signalWithStart' | 'start';
export type AlertSeverity = 'CRITICAL' | 'WARNING' | 'INFO';

type OutboxTable = {
  message_id: Identity;
  trade_id: string | null;
  workflow_id: string;
  action: OutboxAction;
  workflow_type: string | null;
  task_queue: string | null;
  start_args: JsonOrNull<readonly unknown[]>;
  signal_name: string | null;
  signal_args: JsonOrNull<readonly unknown[]>;
  summary: string | null;
  created_at_ms: number;
  attempts: Generated<number>;
  next_attempt_at_ms: Generated<number>;
  settled_at_ms: number | null;
  outcome: 'delivered' | 'target-gone' | null;
};

type CommandTable = {
  command_id: string;
  kind: string;
  body_hash: string;
  result: Json<unknown>;
  made_at_ms: number;
};

type AlertTable = {
  alert_id: Identity;
  condition_key: string;
  code: ErrorCode;
  severity: AlertSeverity;
  message: string;
  context: Json<ErrorContext>;
  raised_at_ms: number;
  resolved_at_ms: number | null;
};

type ApiKeyTable = {
  key_id: string;
  key_sha256: string;
  label: string;
  scopes: readonly string[];
  created_at_ms: number;
  revoked_at_ms: number | null;
};

type WatchShardTable = {
  shard: string;
  watch_epoch: Generated<number>;
  holder: string | null;
  lease_until_ms: Generated<number>;
};

type WatchCursorTable = {
  shard: string;
  symbol: string;
  venue_trade_id: number;
  observed_at_ms: number;
};

type GuardTable = {
  trade_id: string;
  leg: number;
  kind: GuardKind;
  shard: string;
  symbol: string;
  version: number;
  acknowledged_version: Generated<number>;
  terms: Json<Guard['terms']>;
  state: Json<Guard['state']>;
  since_venue_trade_id: number;
  covered_from: number | null;
  armed_at_ms: number;
  triggered_at_ms: number | null;
  triggered_price: Decimal | null;
  disarmed_at_ms: number | null;
};

type HoldTable = {
  hold_id: string;
  scope_kind: HoldScope['kind'];
  scope_id: string;
  source: HoldSource;
  level: HoldLevel;
  version: Generated<number>;
  actor: string;
  reason: string;
  set_at_ms: number;
  expires_at_ms: number | null;
  lifted_at_ms: number | null;
  lifted_by: string | null;
  lift_reason: string | null;
};

type BreakerOutcomeTable = {
  outcome_id: Identity;
  scope: string;
  kind: 'failure' | 'success';
  cause: string;
  client_order_id: string | null;
  at_ms: number;
  is_applied: Generated<boolean>;
};

type BreakerTable = {
  scope: string;
  state: Json<BreakerState>;
  version: Generated<number>;
};

type BreakerProbeTable = {
  scope: string;
  trade_id: string;
  half_open_at_ms: number;
  expires_at_ms: number;
};

type RatePauseTable = {
  venue: string;
  scope: RatePause['scope'];
  until_ms: number;
  is_ban: boolean;
  reason: string;
  holder: string;
};

type CancelSweepTable = {
  hold_version: number;
  venue: string;
  hold_id: string;
  level: Exclude<HoldLevel, 'entries-blocked'>;
  scope_kind: HoldScope['kind'];
  scope_id: string;
  state: Json<SweepState>;
  canceled: Generated<number>;
  not_flat: Generated<readonly string[]>;
  holder: string | null;
  lease_until_ms: Generated<number>;
  next_look_at_ms: number;
  ended_at_ms: number | null;
  outcome: 'clear' | 'withdrawn' | null;
};

type ApprovalPolicyTable = { id: Generated<number>; people_needed: number; version: Generated<number> };

type ApprovalTable = {
  approval_id: string;
  kind: 'resume' | 'limits';
  request: Json<Readonly<Record<string, unknown>>>;
  request_hash: string;
  people_needed: number;
  requested_at_ms: number;
  expires_at_ms: number;
  applied_at_ms: number | null;
};

type WorkerLeaseTable = {
  worker: string;
  build: string;
  writes_key: string | null;
  reads_keys: string[];
  leased_until: Date;
};

type ApprovalVoteTable = {
  approval_id: string;
  key_id: string;
  person: string;
  reason: string;
  voted_at_ms: number;
};

type AuditEventTable = {
  insert_no: Identity;
  event_id: string;
  event_type: string;
  trade_id: string | null;
  body: string;
  recorded_at: ColumnType<Date, never, never>;
  seq: number | null;
  prev: Buffer | null;
  leaf: Buffer | null;
  hash: Buffer | null;
};

type AuditHeadTable = { log_id: string; seq: number; hash: Buffer };

type AuditCheckpointTable = {
  size: number;
  root: Buffer;
  head_hash: Buffer;
  peaks: Buffer[];
  note: string;
  signed_at: ColumnType<Date, never, never>;
};

/** The schema of src/store/migrations as Kysely sees it: `numeric` is a `Decimal`, `bigint` a safe integer. */
export type Tables = {
  account: AccountTable;
  balance: BalanceTable;
  trade: TradeTable;
  reservation: ReservationTable;
  position: PositionTable;
  orders: OrderTable;
  order_send: OrderSendTable;
  fill: FillTable;
  exit_request: ExitRequestTable;
  outbox: OutboxTable;
  command: CommandTable;
  alert: AlertTable;
  api_key: ApiKeyTable;
  watch_shard: WatchShardTable;
  watch_cursor: WatchCursorTable;
  guard: GuardTable;
  hold: HoldTable;
  breaker_outcome: BreakerOutcomeTable;
  breaker: BreakerTable;
  breaker_probe: BreakerProbeTable;
  rate_pause: RatePauseTable;
  cancel_sweep: CancelSweepTable;
  approval_policy: ApprovalPolicyTable;
  approval: ApprovalTable;
  approval_vote: ApprovalVoteTable;
  worker_lease: WorkerLeaseTable;
  reconciliation: ReconciliationTable;
  expected_balance: ExpectedBalanceTable;
  balance_flow: BalanceFlowView;
  difference: DifferenceTable;
  correction: CorrectionTable;
  audit_event: AuditEventTable;
  audit_head: AuditHeadTable;
  audit_checkpoint: AuditCheckpointTable;
};

export type OrderRow = Selectable<OrderTable>;
export type TradeRow = Selectable<TradeTable>;
export type PositionRow = Selectable<PositionTable>;
export type HoldRow = Selectable<HoldTable>;
export type CancelSweepRow = Selectable<CancelSweepTable>;
export type NewCancelSweepRow = Insertable<CancelSweepTable>;
export type GuardRow = Selectable<GuardTable>;
export type FillRow = Selectable<FillTable>;
export type CorrectionRow = Selectable<CorrectionTable>;
export type NewOutboxRow = Insertable<OutboxTable>;
