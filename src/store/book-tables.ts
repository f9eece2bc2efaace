import type { Generated } from 'kysely';
import type { EntryDecision } from '../contracts/messages/decision.ts';
import type { EntryRequest } from '../contracts/messages/entry-request.ts';
import type { ExitReason, PositionClosed } from '../contracts/messages/messages.ts';
import type { Decimal } from '../domain/decimal.ts';
import type { OrderPurpose, OrderStatus, OrderType, PositionSide, Side, TimeInForce } from '../domain/order.ts';
import type { OutcomeClass } from '../domain/outcome.ts';
import type { Json, JsonOrNull } from './column-types.ts';

export type TradePhase = 'denied' | 'placing' | 'working' | 'open' | 'closing' | 'closed' | 'unfilled';

export type AccountTable = {
  account_id: string;
  venue: string;
  currency: string;
  equity: Decimal | null;
  equity_at_ms: number | null;
  equity_fault: string | null;
  limits: Json<unknown>;
  limits_version: Generated<number>;
};

export type BalanceTable = {
  account_id: string;
  asset: string;
  free: Decimal;
  locked: Decimal;
  observed_at_ms: number;
};

export type TradeTable = {
  trade_id: string;
  request_hash: string;
  fingerprint: string | null;
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

export type ReservationTable = {
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

export type PositionTable = {
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
  written_off_quantity: Generated<Decimal>;
  is_open: Generated<boolean>;
};

export type OrderTable = {
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
  stop_price: Decimal | null;
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

export type OrderSendTable = {
  client_order_id: string;
  send_epoch: number;
  signed_at_ms: number;
  outcome: OutcomeClass | null;
  http_status: number | null;
  venue_code: number | null;
  detail: string | null;
  finished_at_ms: number | null;
};

export type FillTable = {
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

export type ExitRequestTable = {
  trade_id: string;
  reason: ExitReason;
  source: string;
  actor: string | null;
  trigger: JsonOrNull<unknown>;
  requested_at_ms: number;
};
