import { setTimeout as delay } from 'node:timers/promises';
import type { Row, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import type { ProcessesPlan } from './processes-plan.ts';
import type { Arena } from './processes-stack.ts';

/** `T_live`: so long after the faults every trade is over, if somebody wants it to be. */
const liveMs = 120_000;
const toldWithinMs = 30_000;

type Left = { readonly id: string; readonly phase: string; readonly parked: string | null };

/**
 * Nothing fails any more. A person closes what is open and decides what is parked, by the venue's ledger; the market
 * goes on. Gives what is not over in time.
 */
export async function untilAllOver({ stack, links }: Arena, { seed }: ProcessesPlan): Promise<readonly string[]> {
  for (const link of Object.values(links)) link.heal();
  await until('the venue is sound', async () => {
    await stack.venue.clearPlan();
    await stack.venue.rules({ status: 'TRADING', levelQuantity: '10', levelsMax: 20 });
    return true;
  });
  const deadlineMs = Date.now() + liveMs;
  const asked = new Set<string>();
  let left = await leftOf(stack);
  while (left.length > 0 && Date.now() < deadlineMs) {
    await stack.venue.tick('100').catch(() => undefined);
    for (const { id, phase, parked } of left) {
      if (parked !== null) await decide(stack, parked);
      else if (/^(working|open|closing)$/.test(phase) && !asked.has(id) && (await isClosing(stack, id))) asked.add(id);
    }
    await delay(1_000);
    left = await leftOf(stack);
  }
  const late = left.map(({ id, phase }) => `liveness: ${id} is ${phase} ${liveMs / 1_000} s after the faults`);
  return late.length > 0 ? late : untilQuiet(stack, seed);
}

/** Whether a person's wish that it be closed was taken. */
export const isClosing = (stack: Stack, tradeId: string): Promise<boolean> =>
  stack.client.close(tradeId, { actor: 'swarm', reason: 'a round' }).then(
    () => true,
    () => false,
  );

/** Trades that are not over; while the database can't be asked, nobody knows. */
const leftOf = (stack: Stack): Promise<readonly Left[]> =>
  until('the database answers', () =>
    stack.sql<Row & Left>(
      `select trade_id as id, phase, (select client_order_id from orders where orders.trade_id = trade.trade_id
         and status = 'parked' limit 1) as parked
       from trade where phase not in ('closed', 'unfilled', 'denied', 'compensated')`,
    ),
  );

/** As a person would: what is not at the venue is dead. */
async function decide(stack: Stack, clientOrderId: string): Promise<void> {
  const { orders } = await stack.venue.ledger();
  const verdict = orders.some((order) => order.clientOrderId === clientOrderId) ? 'look-again' : 'dead';
  stack.ratchet('resolve', clientOrderId, '--verdict', verdict, '--reason', 'the ledger');
}

/** Everybody has been told, every record has its place, and what belonged to a trade has ended by itself. */
async function untilQuiet(stack: Stack, seed: number): Promise<readonly string[]> {
  const isDone = async () => {
    const [open] = await stack.sql<Row & { left: string }>(
      `select (select count(*) from outbox where settled_at_ms is null)
         + (select count(*) from audit_event where seq is null) as left`,
    );
    if (open?.left !== '0') return false;
    for await (const { workflowId } of stack.temporal.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
      if (/^(entry|position|stop|protect|exit|reduce)-/.test(workflowId)) return false;
    }
    return true;
  };
  return until(`round ${seed} is quiet`, isDone, toldWithinMs).then(
    () => [],
    // What is not is told by the oracle, in its own words.
    () => [],
  );
}
