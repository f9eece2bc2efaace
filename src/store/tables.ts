import type { ColumnType, Generated, Insertable, Selectable } from 'kysely';
import type { EntryDecision } from '../contracts/messages/decision.ts';
import type { EntryRequest } from '../contracts/messages/entry-request.ts';
import type { ExitReason, GuardKind, HoldLevel, HoldScope, PositionClosed } from '../contracts/messages/messages.ts';
import type { BreakerState } from '../domain/circuit-breaker.ts';
import type { Decimal } from '../domain/decimal.ts';
import type { ErrorCode, ErrorContext } from '../domain/errors.ts';
import type { Guard } from '../domain/guard.ts';
import type { OrderPurpose, OrderStatus, OrderType, PositionSide, Side, TimeInForce } from '../domain/order.ts';
import type { OutcomeClass } from '../domain/outcome.ts';

/** A jsonb column: read as the value, written as JSON text, so that an array can't become a PostgreSQL array. */
type Json<Value> = ColumnType<Value, string, string>;
type JsonOrNull<Value> = ColumnType<Value | null, string | null | undefined, string | null>;
/** An identity column: given by the database, never changed. */
type Identity = ColumnType<number, never, never>;

export type TradePhase = 'denied' | 'placing' | 'working' | 'open' | 'closing' | 'closed' | 'unfilled';
type OutboxAction = 'signal' | 'signalWithStart' | 'start';
export type AlertSeverity = 'CRITICAL' | 'WARNING' | 'INFO';
export type HoldSource = 'operator' | 'breaker' | 'venue';

type AccountTable = {
  account_id: string;
  venue: string;
  currency: string;
  equity: Decimal | null;
  equity_at_ms: number | null;
  equity_fault: string | null;
  limits: Json<unknown>;
  limits_version: Generated<number>;
};

type BalanceTable = {
  account_id: string;
  asset: string;
  free: Decimal;
  locked: Decimal;
  observed_at_ms: number;
};

type TradeTable = {
  trade_id: string;
  request_hash: string;
  request: Json<EntryRequest>;
  account_id: string;
  strategy: string;
  venue: string;
  decision: 'approved' | 'denied';
  decision_body: Json<EntryDecision>;
  decided_at_ms: number;
  decided_by_run: string;
  phase: TradePhase;
  entry_ended_at_ms: number | null;
  opened_at_ms: number | null;
  closed_at_ms: number | null;
  exit_reason: ExitReason | null;
  result: JsonOrNull<readonly PositionClosed[]>;
};

type ReservationTable = {
  trade_id: string;
  leg: number;
  account_id: string;
  strategy: string;
  symbol: string;
  side: Side;
  price: Decimal;
  unit_delta: Decimal;
  unit_gamma: Generated<Decimal>;
  quantity: Decimal;
  posted_quantity: Generated<Decimal>;
  voided_quantity: Generated<Decimal>;
  void_reason: string | null;
  reserved_at_ms: number;
};

type PositionTable = {
  trade_id: string;
  leg: number;
  account_id: string;
  strategy: string;
  symbol: string;
  side: PositionSide;
  unit_delta: Decimal;
  unit_gamma: Generated<Decimal>;
  entry_quantity: Generated<Decimal>;
  entry_quote: Generated<Decimal>;
  exit_quantity: Generated<Decimal>;
  exit_quote: Generated<Decimal>;
  base_fee: Generated<Decimal>;
  quote_fee: Generated<Decimal>;
  is_open: Generated<boolean>;
};

type OrderTable = {
  client_order_id: string;
  trade_id: string;
  leg: number;
  purpose: OrderPurpose;
  generation: number;
  account_id: string;
  venue: string;
  symbol: string;
  side: Side;
  order_type: OrderType;
  time_in_force: TimeInForce | null;
  quantity: Decimal;
  limit_price: Decimal | null;
  status: OrderStatus;
  in_doubt: Generated<boolean>;
  send_epoch: Generated<number>;
  intent_at_ms: number;
  recv_window_ms: number;
  venue_order_id: string | null;
  reported_quantity: Generated<Decimal>;
  reported_quote: Generated<Decimal>;
  filled_quantity: Generated<Decimal>;
  filled_quote: Generated<Decimal>;
  reason_code: string | null;
  reason: string | null;
  revision: Generated<number>;
  created_at_ms: number;
  updated_at_ms: number;
};

type OrderSendTable = {
  client_order_id: string;
  send_epoch: number;
  signed_at_ms: number;
  outcome: OutcomeClass | null;
  http_status: number | null;
  venue_code: number | null;
  detail: string | null;
  finished_at_ms: number | null;
};

type FillTable = {
  account_id: string;
  venue: string;
  symbol: string;
  venue_trade_id: string;
  client_order_id: string;
  trade_id: string;
  side: Side;
  quantity: Decimal;
  price: Decimal;
  quote_quantity: Decimal;
  fee: Decimal;
  fee_asset: string;
  fee_asset_price: Decimal | null;
  is_maker: boolean;
  transacted_at_ms: number;
  observed_at_ms: number;
};

type ExitRequestTable = {
  trade_id: string;
  reason: ExitReason;
  source: string;
  actor: string | null;
  trigger: JsonOrNull<unknown>;
  requested_at_ms: number;
};

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
  audit_event: AuditEventTable;
  audit_head: AuditHeadTable;
  audit_checkpoint: AuditCheckpointTable;
};

export type OrderRow = Selectable<OrderTable>;
export type TradeRow = Selectable<TradeTable>;
export type PositionRow = Selectable<PositionTable>;
export type HoldRow = Selectable<HoldTable>;
export type GuardRow = Selectable<GuardTable>;
export type FillRow = Selectable<FillTable>;
export type NewOutboxRow = Insertable<OutboxTable>;
