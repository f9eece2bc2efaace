import { setTimeout as delay } from 'node:timers/promises';
import { entryStart } from '../../src/client/entry-start.ts';
import { workflowTypes } from '../../src/contracts/messages/names.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { startSecondWorker } from '../support/workers.ts';
import { type Figure, ms, percentile } from './statistics.ts';

/** A stack with two workers to which more entries are sent than they can take. */
export type Flooded = {
  readonly stack: Stack;
  /** Ends the flood and waits for all that was sent. Approved entries a second since the beginning. */
  ebb(): Promise<number>;
  stop(): Promise<void>;
};

/** An entry order that came to the venue, and when its newest intent was written. */
export type SentEntry = {
  readonly receivedAtMs: number;
  readonly acceptedAtMs: number | null;
  readonly intentAtMs: number;
};

const clients = 24;
const warmUpMs = 5_000;
/** Whoever is denied looks again a little later, as a bot does: denials are not what is to keep the machine busy. */
const afterDenialMs = 250;

export async function aFlood(settings: Readonly<Record<string, string>> = {}): Promise<Flooded> {
  const environment = {
    RATCHET_LIMITS_FILE: 'test/bench/limits.yaml',
    RATCHET_PAPER_ORDERS_PER_10S: '100000',
    RATCHET_PAPER_WEIGHT_PER_MINUTE: '10000000',
    ...settings,
  };
  const stack = await startStack({ environment });
  const second = await startSecondWorker(stack);
  let isRunning = true;
  let approved = 0;
  const startedAtMs = Date.now();
  const client = async (name: number): Promise<void> => {
    for (let n = 0; isRunning; n += 1) {
      const handle = await stack.temporal.workflow.start(
        workflowTypes.entry,
        entryStart(anEntry(`flood-${name}-${n}`)),
      );
      const { outcome } = (await handle.result()) as { readonly outcome: string };
      if (outcome === 'denied') await delay(afterDenialMs);
      else approved += 1;
    }
  };
  const flood = Promise.all(Array.from({ length: clients }, (_, name) => client(name)));
  flood.catch(() => undefined);
  await delay(warmUpMs);
  const ebb = async (): Promise<number> => {
    isRunning = false;
    const rate = approved / ((Date.now() - startedAtMs) / 1_000);
    await flood;
    return rate;
  };
  return {
    stack,
    ebb,
    async stop() {
      isRunning = false;
      await flood.catch(() => undefined);
      await second.stop();
      await stack.stop();
    },
  };
}

/** An entry that ends by itself: at the price of 100 the venue takes it, finds nothing to match, and lets it expire. */
const anEntry = (tradeId: string) =>
  ({
    tradeId,
    account: 'main',
    strategy: 'bench',
    venue: 'paper',
    legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: decimal('0.1'), unitDelta: decimal('1') }],
    entry: { type: 'LIMIT', price: decimal('99.8'), timeInForce: 'IOC' },
    exit: { timeStopMs: 3_600_000 },
    requestedAtMs: Date.now(),
    validForMs: 60_000,
  }) as const;

/** What the venue has seen of entries, by its own ledger, joined with the intents of the book. */
export async function entriesSeen({ venue, sql }: Stack): Promise<readonly SentEntry[]> {
  const { requests, orders } = await venue.ledger();
  const intents = await sql<{ id: string; atMs: string }>(
    `select body::jsonb->>'clientOrderId' as id, (extract(epoch from recorded_at) * 1000)::bigint as "atMs"
     from audit_event where event_type in ('OrderIntent', 'OrderIntentRenewed') order by insert_no`,
  );
  const intentAtMs = new Map(intents.map(({ id, atMs }) => [id, Number(atMs)]));
  const acceptedAtMs = new Map(orders.map((order) => [order.clientOrderId, order.acceptedAtMs]));
  return requests
    .filter(({ method, path }) => method === 'POST' && path === '/api/v3/order')
    .map(({ receivedAtMs, parameters }) => {
      const id = parameters['newClientOrderId'] ?? '';
      return {
        receivedAtMs,
        acceptedAtMs: acceptedAtMs.get(id) ?? null,
        intentAtMs: intentAtMs.get(id) ?? Number.NaN,
      };
    });
}

/** A figure with its tail: what is promised of it is its 99th percentile. */
export const spreadOf = (name: string, samples: readonly number[], goalMs: number | null): Figure => ({
  name: `${name}, p50 / p99 / max`,
  goal: goalMs === null ? 'reported' : `p99 <= ${goalMs} ms`,
  measured: [percentile(samples, 0.5), percentile(samples, 0.99), Math.max(...samples)].map(ms).join(' / '),
  n: samples.length,
  isMet: goalMs === null ? null : percentile(samples, 0.99) <= goalMs,
});

/** A figure that must be zero, of so many. */
export const noneOf = (name: string, count: number, n: number): Figure => ({
  name,
  goal: '0',
  measured: String(count),
  n,
  isMet: count === 0,
});
