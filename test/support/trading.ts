import { WorkflowNotFoundError } from '@temporalio/client';
import type { EntryDecision } from '../../src/client/index.ts';
import type { Row, Stack } from './stack.ts';
import { until } from './until.ts';

const lifecycles = ['entry', 'position', 'stop', 'protect', 'exit'];
const finalPhases = ['denied', 'unfilled', 'closed'];

export type Terms = {
  readonly entry?: object;
  readonly exit?: object;
  readonly quantity?: string;
  readonly validForMs?: number;
  readonly strategy?: string;
};

/** One unit bought at market, with a stop at 95; the test says what else matters. */
export const aRequest = (
  tradeId: string,
  { entry, exit, quantity = '1', validForMs = 60_000, strategy = 'stack-tests' }: Terms = {},
) => ({
  tradeId,
  strategy,
  legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity }],
  entry: entry ?? { type: 'MARKET' },
  exit: exit ?? { stopLoss: { price: '95' } },
  requestedAtMs: Date.now(),
  validForMs,
});

/** Sends an entry and gives its decision. */
export const enter = (stack: Stack, tradeId: string, terms?: Terms): Promise<EntryDecision> =>
  stack.client.enter(aRequest(tradeId, terms));

/** Sends an entry that has to be approved. */
export async function enterApproved(stack: Stack, tradeId: string, terms?: Terms): Promise<void> {
  const { outcome, reasons } = await enter(stack, tradeId, terms);
  if (outcome !== 'approved') throw new Error(`${tradeId} is ${outcome}: ${JSON.stringify(reasons)}`);
}

export async function phaseOf(stack: Stack, tradeId: string): Promise<string | undefined> {
  const [trade] = await stack.sql<{ phase: string }>('select phase from trade where trade_id = $1', [tradeId]);
  return trade?.phase;
}

/** Waits for one of the phases; another one that is final fails at once. */
export async function untilPhase(stack: Stack, tradeId: string, ...phases: readonly string[]): Promise<string> {
  const wanted = phases.join(' or ');
  const phase = await until(`${tradeId} is ${wanted}`, async () => {
    const present = await phaseOf(stack, tradeId);
    return present !== undefined && [...phases, ...finalPhases].includes(present) ? present : undefined;
  });
  if (!phases.includes(phase))
    throw new Error(`${tradeId} is ${phase}, not ${wanted}: ${await reasonsOf(stack, tradeId)}`);
  return phase;
}

async function reasonsOf(stack: Stack, tradeId: string): Promise<string> {
  const [trade] = await stack.sql("select decision_body->'reasons' as reasons from trade where trade_id = $1", [
    tradeId,
  ]);
  return JSON.stringify(trade?.['reasons']);
}

/** Until the watch has taken up every guard of the trade, so many as there are to be. */
export const untilWatched = (stack: Stack, tradeId: string, guards = 1): Promise<unknown> =>
  until(`${tradeId} is watched`, async () => {
    const rows = await stack.sql(
      'select 1 from guard where trade_id = $1 and acknowledged_version = version and disarmed_at_ms is null',
      [tradeId],
    );
    return rows.length >= guards;
  });

/** Opens a trade and waits until it is guarded. */
export async function openTrade(stack: Stack, tradeId: string, terms?: Terms): Promise<void> {
  await enterApproved(stack, tradeId, terms);
  await untilPhase(stack, tradeId, 'open');
  await untilWatched(stack, tradeId);
}

/** The stop that the venue holds for the trade now, by its own word; undefined while it holds none. */
export async function heldAtVenue({ sql, venue }: Stack, tradeId: string) {
  const ours = await sql<{ id: string }>(
    "select client_order_id as id from orders where trade_id = $1 and purpose = 'stop'",
    [tradeId],
  );
  const { orders } = await venue.ledger();
  return orders.find(({ clientOrderId, status }) => ours.some(({ id }) => id === clientOrderId) && status === 'NEW');
}

/** Until the venue holds a stop of the trade, at this price where one is given. */
export const untilHeld = (stack: Stack, tradeId: string, stopPrice?: string): Promise<unknown> =>
  until(`the venue holds a stop of ${tradeId} from ${stopPrice ?? 'any price'}`, async () => {
    const held = await heldAtVenue(stack, tradeId);
    return held !== undefined && (stopPrice === undefined || held.stopPrice === stopPrice);
  });

/** Until the trade and its lifecycles have ended, everybody has been told, and every record has its place in the chain. */
export async function untilSettled(stack: Stack, tradeId: string): Promise<string> {
  const phase = await untilPhase(stack, tradeId, ...finalPhases);
  await until(`everything about ${tradeId} is told and sealed`, async () => {
    const [left] = await stack.sql<Row & { left: string }>(
      `select (select count(*) from outbox where settled_at_ms is null)
         + (select count(*) from audit_event where seq is null) as left`,
    );
    return left?.left === '0';
  });
  await until(`the lifecycles of ${tradeId} have ended`, async () => {
    const statuses = await Promise.all(lifecycles.map((of) => statusOf(stack, of, tradeId)));
    return statuses.every((status) => status !== 'RUNNING');
  });
  return phase;
}

async function statusOf({ temporal }: Stack, lifecycle: string, tradeId: string): Promise<string> {
  try {
    const { status } = await temporal.workflow.getHandle(`${lifecycle}-${tradeId}`).describe();
    return status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'never started';
    throw error;
  }
}

/** Lets the price fall through the stop at 95, waits for the end of the trade, and sets the price back to 100. */
export async function stopOut(stack: Stack, tradeId: string): Promise<void> {
  await stack.venue.tick('94');
  await untilSettled(stack, tradeId);
  await stack.venue.tick('100');
}
