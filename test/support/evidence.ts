import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ledger } from './paper-control.ts';
import type { Row, Sql, Stack } from './stack.ts';
import { until } from './until.ts';

const deliveryMs = 15_000;

/** A row as the database gives it: bigint and numeric as text, and small numbers too, so that they compare alike. */
type Rows<Columns extends string, Others = unknown> = readonly (Readonly<Record<Columns, string>> & Others)[];

export type AuditEvent = {
  readonly type: string;
  readonly tradeId: string | null;
  readonly recordedAtMs: number;
  readonly body: Readonly<Record<string, unknown>>;
};

/** One record as it is stored, with its place in the chain. Digests are hexadecimal. */
export type StoredRecord = {
  readonly insertNo: number;
  readonly eventId: string;
  readonly body: string;
  readonly seq: number | null;
  readonly prev: string | null;
  readonly leaf: string | null;
  readonly hash: string | null;
};

/** The chain as the database has it, and what is kept outside of it. */
export type Chain = {
  readonly records: readonly StoredRecord[];
  readonly head: { readonly seq: number; readonly hash: string };
  readonly checkpoints: readonly { readonly size: number; readonly note: string }[];
  /** The notes of the checkpoint files; null where nobody keeps files. */
  readonly notes: readonly string[] | null;
  /** The line of the public key (C2SP verifier key); null where signatures are not judged. */
  readonly publicKey: string | null;
};

/** A time in which no worker lived: nobody can keep a promise then that needs one. */
export type Outage = { readonly fromMs: number; readonly toMs: number };

export type WorkflowFacts = {
  readonly workflowId: string;
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
};

/** What a search for secrets has found: every place where one stands that is not its own file. */
export type SecretSearch = { readonly places: number; readonly found: readonly string[] };

/** What a replay of the run's histories on the present code has shown. */
export type ReplayRun = { readonly histories: number; readonly failed: readonly string[] };

/** All that is left of what happened, from the three who can be asked: the venue, the database, Temporal. */
export type Evidence = {
  readonly ledger: Ledger;
  readonly accounts: Rows<'account_id' | 'limits_version', { readonly limits: Readonly<Record<string, unknown>> }>;
  readonly trades: Rows<
    'trade_id' | 'phase' | 'decision' | 'account_id' | 'strategy' | 'decided_at_ms',
    {
      readonly request: { readonly legs: readonly { readonly symbol: string; readonly quantity: string }[] };
      readonly result: readonly Readonly<Record<string, string>>[] | null;
    }
  >;
  readonly orders: Rows<
    | 'client_order_id'
    | 'trade_id'
    | 'leg'
    | 'purpose'
    | 'generation'
    | 'symbol'
    | 'side'
    | 'quantity'
    | 'status'
    | 'send_epoch'
    | 'recv_window_ms',
    { readonly in_doubt: boolean; readonly reason_code: string | null }
  >;
  readonly sends: Rows<'client_order_id' | 'send_epoch' | 'signed_at_ms', { readonly outcome: string | null }>;
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
  readonly reservations: Rows<
    | 'trade_id'
    | 'leg'
    | 'symbol'
    | 'side'
    | 'price'
    | 'unit_delta'
    | 'quantity'
    | 'posted_quantity'
    | 'voided_quantity'
    | 'reserved_at_ms'
  >;
  readonly positions: Rows<'trade_id' | 'leg'>;
  readonly guards: Rows<'trade_id' | 'leg' | 'kind', { readonly triggered_at_ms: string | null }>;
  readonly exitRequests: Rows<'trade_id' | 'requested_at_ms'>;
  readonly holds: Rows<
    'hold_id' | 'scope_kind' | 'scope_id' | 'source' | 'level' | 'version' | 'set_at_ms' | 'actor',
    { readonly lifted_at_ms: string | null; readonly lifted_by: string | null; readonly expires_at_ms: string | null }
  >;
  readonly alerts: Rows<
    'alert_id' | 'condition_key' | 'code' | 'severity' | 'raised_at_ms',
    { readonly context: Readonly<Record<string, unknown>>; readonly resolved_at_ms: string | null }
  >;
  readonly undelivered: number;
  readonly events: readonly AuditEvent[];
  readonly chain: Chain;
  readonly workflows: readonly WorkflowFacts[];
  readonly outages: readonly Outage[];
  /** What lasts at this moment may still end. Infinity: nothing goes on any more. */
  readonly gatheredAtMs: number;
  /** What each hold of level frozen or flatten had to clear of entries. */
  readonly sweeps: Rows<
    'hold_id' | 'hold_version',
    { readonly ended_at_ms: string | null; readonly outcome: string | null }
  >;
  /** How many people a resume needs here, and who was behind each that was carried out. */
  readonly resumeApprovals: number;
  readonly approvals: readonly {
    readonly applied_at_ms: string;
    readonly people: readonly string[];
    readonly keys: readonly string[];
  }[];
  readonly secrets: SecretSearch | null;
  readonly replay: ReplayRun | null;
};

/** Who can be asked about orders and money: enough to judge what needs no workflows. */
export type BookSource = {
  /** Reads the database as it was at one moment: a row and its record are both there, or neither. */
  atOneMoment<Result>(read: (sql: Sql) => Promise<Result>): Promise<Result>;
  readonly venue: { ledger(): Promise<Ledger> };
};

/** Reads everything of a stack. Ask for it when the trades have settled. */
export async function gather(
  stack: Stack,
  known: Partial<Pick<Evidence, 'secrets' | 'replay'>> = {},
): Promise<Evidence> {
  await messagesDelivered(stack);
  const book = await gatherBook(stack);
  return {
    ...book,
    chain: { ...book.chain, ...keptOutside(stack.data) },
    workflows: await workflowsOf(stack),
    outages: stack.outages(),
    gatheredAtMs: Date.now(),
    ...known,
  };
}

/** Reads the venue's ledger and the database: everything but Temporal and the data folder. */
export async function gatherBook({ atOneMoment, venue }: BookSource): Promise<Evidence> {
  const ledger = await venue.ledger();
  return { ledger, ...(await atOneMoment(readBook)) };
}

async function readBook(sql: Sql): Promise<Omit<Evidence, 'ledger'>> {
  const table = async <Name extends keyof Evidence>(name: string, order: string) =>
    (await sql<Row>(`select * from ${name} order by ${order}`)).map(asText) as unknown as Evidence[Name];
  const [open] = await sql<{ n: string }>('select count(*) as n from outbox where settled_at_ms is null');
  const [policy] = await sql<{ n: number }>('select people_needed as n from approval_policy');
  return {
    accounts: await table<'accounts'>('account', 'account_id'),
    trades: await table<'trades'>('trade', 'decided_at_ms'),
    orders: await table<'orders'>('orders', 'created_at_ms'),
    sends: await table<'sends'>('order_send', 'signed_at_ms'),
    fills: await table<'fills'>('fill', 'observed_at_ms'),
    reservations: await table<'reservations'>('reservation', 'reserved_at_ms'),
    positions: await table<'positions'>('position', 'trade_id'),
    guards: await table<'guards'>('guard', 'armed_at_ms'),
    exitRequests: await table<'exitRequests'>('exit_request', 'requested_at_ms'),
    holds: await table<'holds'>('hold', 'version'),
    alerts: await table<'alerts'>('alert', 'alert_id'),
    undelivered: Number(open?.n),
    events: await eventsOf(sql),
    chain: await chainOf(sql),
    workflows: [],
    outages: [],
    gatheredAtMs: Infinity,
    sweeps: await table<'sweeps'>('cancel_sweep', 'hold_version'),
    resumeApprovals: Number(policy?.n ?? 1),
    approvals: (await sql<Row>(approvalsApplied)) as unknown as Evidence['approvals'],
    secrets: null,
    replay: null,
  };
}

const approvalsApplied = `select applied_at_ms::text, array_agg(person) as people, array_agg(key_id) as keys
  from approval join approval_vote using (approval_id) where applied_at_ms is not null group by approval_id`;

// Small numbers come as numbers, large ones as text: as text they compare alike.
const asText = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
  );

/** Messages on their way get the time to arrive: what is counted is what nobody delivers. */
async function messagesDelivered({ sql }: Stack): Promise<void> {
  const isNoneLeft = async () => (await sql('select 1 from outbox where settled_at_ms is null limit 1')).length === 0;
  await until('all messages are delivered', isNoneLeft, deliveryMs).catch(() => undefined);
}

async function eventsOf(sql: Sql): Promise<readonly AuditEvent[]> {
  const rows = await sql<{ event_type: string; trade_id: string | null; at_ms: string; body: string }>(
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

async function chainOf(sql: Sql): Promise<Chain> {
  // One statement is one moment, whatever is sealed meanwhile.
  const [chain] = await sql<Row & { records: StoredRecord[]; head: Chain['head']; checkpoints: Chain['checkpoints'] }>(
    `select
       (select coalesce(json_agg(json_build_object('insertNo', insert_no, 'eventId', event_id, 'body', body,
          'seq', seq, 'prev', encode(prev, 'hex'), 'leaf', encode(leaf, 'hex'), 'hash', encode(hash, 'hex'))
          order by insert_no), '[]') from audit_event) as records,
       (select json_build_object('seq', seq, 'hash', encode(hash, 'hex')) from audit_head) as head,
       (select coalesce(json_agg(json_build_object('size', size, 'note', note) order by size), '[]')
          from audit_checkpoint) as checkpoints`,
  );
  const { records = [], head = { seq: 0, hash: '' }, checkpoints = [] } = chain ?? {};
  return { records, head, checkpoints, notes: null, publicKey: null };
}

/** A line that a crash has cut off was never confirmed by anybody. */
function keptOutside(data: string): Pick<Chain, 'notes' | 'publicKey'> {
  const folder = join(data, 'checkpoints');
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  const lines = files.flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));
  const notes = lines.filter((line) => /^".*"$/.test(line)).map((line) => JSON.parse(line) as string);
  const keyFile = join(data, 'secrets', 'checkpoint-key.pem.pub');
  return { notes, publicKey: existsSync(keyFile) ? readFileSync(keyFile, 'utf8') : null };
}

async function workflowsOf({ temporal }: Stack): Promise<readonly WorkflowFacts[]> {
  const found: WorkflowFacts[] = [];
  for await (const { workflowId, status, startTime, closeTime } of temporal.workflow.list()) {
    found.push({
      workflowId,
      status: status.name,
      startedAtMs: startTime.getTime(),
      closedAtMs: closeTime?.getTime() ?? null,
    });
  }
  return found;
}
