import { sql } from 'kysely';
import type { Simulator } from '../../../src/simulator/server.ts';
import type { Db } from '../../../src/store/database.ts';

type Text<Columns extends string, Others = unknown> = readonly (Readonly<Record<Columns, string>> & Others)[];

/** All that is left of what happened to one account: in the venue's ledger, and in the database. */
export type BenchEvidence = {
  readonly ledger: {
    readonly orders: readonly LedgerOrder[];
    readonly fills: readonly LedgerFill[];
    readonly requests: readonly LedgerRequest[];
  };
  readonly trades: readonly {
    readonly trade_id: string;
    readonly phase: string;
    readonly decision: string;
    readonly result: readonly Readonly<Record<string, string>>[] | null;
  }[];
  readonly orders: Text<
    | 'client_order_id'
    | 'trade_id'
    | 'leg'
    | 'purpose'
    | 'generation'
    | 'status'
    | 'quantity'
    | 'filled_quantity'
    | 'send_epoch',
    { readonly in_doubt: boolean; readonly reason_code: string | null }
  >;
  readonly sends: Text<'client_order_id' | 'send_epoch', { readonly outcome: string | null }>;
  readonly fills: Text<
    | 'client_order_id'
    | 'trade_id'
    | 'venue_trade_id'
    | 'side'
    | 'quantity'
    | 'price'
    | 'quote_quantity'
    | 'fee'
    | 'fee_asset'
  >;
  readonly reservations: Text<'trade_id' | 'leg' | 'quantity' | 'posted_quantity' | 'voided_quantity'>;
  readonly positions: Text<'trade_id' | 'leg' | 'entry_quantity' | 'exit_quantity' | 'base_fee'>;
  readonly alerts: readonly {
    readonly code: string;
    readonly severity: string;
    readonly context: Readonly<Record<string, unknown>>;
    readonly resolved_at_ms: string | null;
  }[];
  readonly events: readonly {
    readonly type: string;
    readonly tradeId: string | null;
    readonly body: Readonly<Record<string, unknown>>;
  }[];
  /** Of each intent: the last request that the venue had received when it was committed. */
  readonly intents: ReadonlyMap<string, number>;
};

export type LedgerOrder = {
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly side: string;
  readonly quantity: string;
  readonly status: string;
  readonly filledQuantity: string;
  readonly origin: string;
};

export type LedgerFill = {
  readonly tradeId: number;
  readonly orderId: number;
  readonly side: string;
  readonly price: string;
  readonly quantity: string;
  readonly quoteQuantity: string;
  readonly fee: string;
  readonly feeAsset: string;
};

export type LedgerRequest = {
  readonly requestId: number;
  readonly receivedAtMs: number;
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly accepted: boolean;
  readonly answered: boolean;
  readonly httpStatus: number | null;
  readonly code: number | null;
};

/** Reads what the account's trades have left; alerts are the whole database's. */
export async function gatherBench(
  db: Db,
  simulator: Simulator,
  account: string,
  intents: ReadonlyMap<string, number>,
): Promise<BenchEvidence> {
  const rows = async <Row>(columns: string, rest: string): Promise<readonly Row[]> => {
    const { rows: found } = await sql<Row>`select ${sql.raw(columns)} from ${sql.raw(rest)}`.execute(db);
    return found;
  };
  const ours = `trade_id in (select trade_id from trade where account_id = '${account}')`;
  const text = (...names: readonly string[]) => names.map((name) => `trim_scale(${name}::numeric)::text as ${name}`);
  const { books } = simulator.exchange;
  return {
    ledger: { orders: [...books.orders.values()], fills: [...books.fills], requests: [...simulator.requests()] },
    trades: await rows('trade_id, phase, decision, result', `trade where account_id = '${account}'`),
    orders: await rows(
      `client_order_id, trade_id, purpose, status, in_doubt, reason_code,
       ${text('leg', 'generation', 'quantity', 'filled_quantity', 'send_epoch').join(', ')}`,
      `orders where ${ours} order by created_at_ms`,
    ),
    sends: await rows(
      `client_order_id, outcome, ${text('send_epoch').join()}`,
      `order_send where client_order_id in (select client_order_id from orders where ${ours})`,
    ),
    fills: await rows(
      `client_order_id, trade_id, venue_trade_id, side, fee_asset,
       ${text('quantity', 'price', 'quote_quantity', 'fee').join(', ')}`,
      `fill where ${ours}`,
    ),
    reservations: await rows(
      `trade_id, ${text('leg', 'quantity', 'posted_quantity', 'voided_quantity').join(', ')}`,
      `reservation where ${ours} order by reserved_at_ms, trade_id`,
    ),
    positions: await rows(
      `trade_id, ${text('leg', 'entry_quantity', 'exit_quantity', 'base_fee').join(', ')}`,
      `position where ${ours} order by trade_id`,
    ),
    alerts: await rows('code, severity, context, resolved_at_ms', 'alert order by alert_id'),
    events: await rows(
      'event_type as type, trade_id as "tradeId", body::jsonb as body',
      `audit_event where ${ours} order by insert_no`,
    ),
    intents,
  };
}
