import { setTimeout as delay } from 'node:timers/promises';
import type { Stack } from '../support/stack.ts';
import { heldAtVenue, untilSettled } from '../support/trading.ts';

const lookEveryMs = 100;
const pricesEveryMs = 1_000;

type Facts = { phase: string | null; parked: string | null; guarded: boolean; heldAtVenue: boolean };

/**
 * Sees a trade to its end, whatever state it is in: lets the market come to an order that rests, lets the price fall
 * through the stop once somebody watches (and, where the venue is to hold a stop, once it does), and declares dead what is
 * parked and not at the venue. Gives the final phase, and whether a person was needed.
 */
export async function driveToEnd(
  stack: Stack,
  tradeId: string,
  withinMs = 90_000,
): Promise<{ readonly phase: string; readonly parked: boolean }> {
  const deadlineMs = Date.now() + withinMs;
  let parked = false;
  let nextPriceAtMs = 0;
  for (;;) {
    const facts = await factsOf(stack, tradeId).catch(() => undefined);
    if (facts?.phase && /^(closed|unfilled|denied|compensated)$/.test(facts.phase)) break;
    if (Date.now() > deadlineMs) throw new Error(`${tradeId} is ${JSON.stringify(facts)} and does not end`);
    if (facts?.parked) {
      parked = true;
      await declareDead(stack, facts.parked);
    } else if (Date.now() >= nextPriceAtMs && facts !== undefined) {
      const price = await priceFor(stack, tradeId, facts);
      if (price !== undefined) {
        await stack.venue.tick(price).catch(() => undefined);
        nextPriceAtMs = Date.now() + pricesEveryMs;
      }
    }
    await delay(lookEveryMs);
  }
  return { phase: await untilSettled(stack, tradeId), parked };
}

async function priceFor(stack: Stack, tradeId: string, facts: Facts): Promise<string | undefined> {
  if (facts.phase === 'working') return '99';
  if (facts.phase !== 'open' || !facts.guarded) return undefined;
  return !facts.heldAtVenue || (await heldAtVenue(stack, tradeId)) ? '94' : undefined;
}

async function factsOf(stack: Stack, tradeId: string): Promise<Facts> {
  const [facts] = await stack.sql<Facts>(
    `select (select phase from trade where trade_id = $1) as phase,
            (select client_order_id from orders where trade_id = $1 and purpose = 'entry' and status = 'parked' limit 1) as parked,
            exists (select 1 from guard where trade_id = $1 and acknowledged_version = version
                    and disarmed_at_ms is null and triggered_at_ms is null) as guarded,
            exists (select 1 from trade where trade_id = $1 and request -> 'exit' ? 'protectiveStop') as "heldAtVenue"`,
    [tradeId],
  );
  return facts ?? { phase: null, parked: null, guarded: false, heldAtVenue: false };
}

async function declareDead(stack: Stack, clientOrderId: string): Promise<void> {
  const { orders } = await stack.venue.ledger();
  if (orders.some((order) => order.clientOrderId === clientOrderId))
    throw new Error(`${clientOrderId} is parked and stands at the venue`);
  const { code, output } = stack.ratchet('resolve', clientOrderId, '--verdict', 'dead', '--reason', 'not at the venue');
  if (code !== 0) throw new Error(`resolve ends with ${code}: ${output}`);
}

/**
 * How much has been done for a trade: its records, and the steps of its lifecycles that a worker has reported. What the
 * server does alone, such as noticing that somebody is late, does not count.
 */
export async function progressOf(stack: Stack, tradeId: string): Promise<number> {
  const [row] = await stack.sql<{ n: string }>('select count(*) as n from audit_event where trade_id = $1', [tradeId]);
  const lifecycles = ['entry', 'position', 'stop', 'protect', 'exit'].map((kind) =>
    stepsOf(stack, `${kind}-${tradeId}`),
  );
  const steps = await Promise.all(lifecycles);
  return steps.reduce((sum, count) => sum + count, Number(row?.n));
}

/** Of the events, EVENT_TYPE_WORKFLOW_TASK_COMPLETED is number 7 and EVENT_TYPE_ACTIVITY_TASK_COMPLETED number 12. */
async function stepsOf({ temporal }: Stack, workflowId: string): Promise<number> {
  try {
    const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).filter(({ eventType }) => eventType === 7 || eventType === 12).length;
  } catch (error) {
    // Histories are asked for below the client's own errors: 5 is NOT_FOUND.
    if ((error as { code?: unknown }).code === 5) return 0;
    throw error;
  }
}
