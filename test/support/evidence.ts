import type { Ledger } from './paper-control.ts';
import type { Row, Stack } from './stack.ts';
import { until } from './until.ts';

const deliveryMs = 15_000;

/** A row as the database gives it: bigint and numeric as text. */
type Rows<Columns extends string, Others = unknown> = readonly (Readonly<Record<Columns, string>> & Others)[];

export type AuditEvent = {
  readonly type: string;
  readonly tradeId: string | null;
  readonly recordedAtMs: number;
  readonly body: Readonly<Record<string, unknown>>;
};

/** All that is left of what happened, from the three who can be asked: the venue, the database, Temporal. */
export type Evidence = {
  readonly ledger: Ledger;
  readonly trades: readonly {
    readonly trade_id: string;
    readonly phase: string;
    readonly decision: string;
    readonly result: readonly Readonly<Record<string, string>>[] | null;
  }[];
  readonly orders: Rows<
    'client_order_id' | 'trade_id' | 'leg' | 'purpose' | 'status' | 'send_epoch',
    { readonly in_doubt: boolean }
  >;
  readonly fills: Rows<
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
  readonly reservations: Rows<'trade_id' | 'leg' | 'quantity' | 'posted_quantity' | 'voided_quantity'>;
  readonly positions: Rows<'trade_id' | 'leg'>;
  readonly guards: Rows<'trade_id' | 'leg' | 'kind', { readonly triggered_at_ms: string | null }>;
  readonly exitRequests: Rows<'trade_id'>;
  readonly alerts: Rows<'alert_id', { readonly resolved_at_ms: string | null }>;
  readonly undelivered: number;
  readonly events: readonly AuditEvent[];
  readonly workflows: readonly { readonly workflowId: string; readonly status: string }[];
};

/** Reads everything. Ask for it when the trades have settled. */
export async function gather(stack: Stack): Promise<Evidence> {
  const table = async (name: string, order: string) => await stack.sql<Row>(`select * from ${name} order by ${order}`);
  const undelivered = await undeliveredOf(stack);
  return {
    ledger: await stack.venue.ledger(),
    trades: (await table('trade', 'decided_at_ms')) as unknown as Evidence['trades'],
    orders: (await textOf(table('orders', 'created_at_ms'))) as unknown as Evidence['orders'],
    fills: (await table('fill', 'observed_at_ms')) as unknown as Evidence['fills'],
    reservations: (await textOf(table('reservation', 'reserved_at_ms'))) as unknown as Evidence['reservations'],
    positions: (await textOf(table('position', 'trade_id'))) as unknown as Evidence['positions'],
    guards: (await textOf(table('guard', 'armed_at_ms'))) as unknown as Evidence['guards'],
    exitRequests: (await table('exit_request', 'requested_at_ms')) as unknown as Evidence['exitRequests'],
    alerts: (await table('alert', 'alert_id')) as unknown as Evidence['alerts'],
    undelivered,
    events: await eventsOf(stack),
    workflows: await workflowsOf(stack),
  };
}

// Small numbers come as numbers, large ones as text: as text they compare alike.
async function textOf(rows: Promise<readonly Row[]>): Promise<readonly Row[]> {
  return (await rows).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
    ),
  );
}

/** Messages on their way get the time to arrive: what is counted is what nobody delivers. */
async function undeliveredOf(stack: Stack): Promise<number> {
  const count = async () => {
    const [open] = await stack.sql<{ n: string }>('select count(*) as n from outbox where settled_at_ms is null');
    return Number(open?.n);
  };
  await until('all messages are delivered', async () => (await count()) === 0, deliveryMs).catch(() => undefined);
  return count();
}

async function eventsOf(stack: Stack): Promise<readonly AuditEvent[]> {
  const rows = await stack.sql<{ event_type: string; trade_id: string | null; at_ms: string; body: string }>(
    `select event_type, trade_id, extract(epoch from recorded_at) * 1000 as at_ms, body
     from audit_event order by insert_no`,
  );
  return rows.map((row) => ({
    type: row.event_type,
    tradeId: row.trade_id,
    recordedAtMs: Number(row.at_ms),
    body: JSON.parse(row.body) as Record<string, unknown>,
  }));
}

async function workflowsOf({ temporal }: Stack): Promise<Evidence['workflows']> {
  const found = [];
  for await (const { workflowId, status } of temporal.workflow.list()) found.push({ workflowId, status: status.name });
  return found;
}
