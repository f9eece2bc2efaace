import { Client, type Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { entryStart } from '../../src/client/entry-start.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { updates } from '../../src/contracts/messages/messages.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { type Figure, ms, percentile, times } from './statistics.ts';

type Side = { readonly name: string; readonly client: Client };

let count = 0;

/** A small market order that stays open: the entry, its order, its fill and the start of its monitor. */
function aRequest(): EntryRequest {
  count += 1;
  return {
    tradeId: `bench-${process.pid}-${count}`,
    account: 'main',
    strategy: 'bench',
    venue: 'paper',
    legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: decimal('0.0002'), unitDelta: decimal('1') }],
    entry: { type: 'MARKET' },
    exit: { timeStopMs: 3_600_000 },
    requestedAtMs: Date.now(),
    validForMs: 60_000,
  };
}

const decideOne = (client: Client, request: EntryRequest): Promise<unknown> =>
  client.workflow.executeUpdateWithStart(updates.decide, {
    updateId: request.tradeId,
    startWorkflowOperation: new WithStartWorkflowOperation('entry', entryStart(request)),
  });

/** From the request to the decision, one at a time, the two sides in turn. */
async function decisionLatency(sides: readonly [Side, Side], n: number): Promise<Figure> {
  const samples = sides.map((): number[] => []);
  for (let round = 0; round < n; round += 1) {
    for (const [index, { client }] of sides.entries()) {
      const request = aRequest();
      const startedAt = performance.now();
      await decideOne(client, request);
      samples[index]?.push(performance.now() - startedAt);
    }
  }
  const [ours = Number.NaN, bare = Number.NaN] = samples.map((each) => percentile(each, 0.5));
  const [oursP99 = Number.NaN, bareP99 = Number.NaN] = samples.map((each) => percentile(each, 0.99));
  return {
    name: 'decision latency (update-with-start), product / bare, p50',
    goal: '<= 1.25x bare',
    measured: `${times(ours / bare)} (${ms(ours)} / ${ms(bare)}; p99 ${ms(oursP99)} / ${ms(bareP99)})`,
    n: 2 * n,
    isMet: ours / bare <= 1.25,
  };
}

async function entriesPerSecond({ client }: Side, entries: number, clients: number): Promise<number> {
  const startedAt = performance.now();
  let left = entries;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const request = aRequest();
      await decideOne(client, request);
      await client.workflow.getHandle(`entry-${request.tradeId}`).result();
    }
  };
  await Promise.all(Array.from({ length: clients }, one));
  return entries / ((performance.now() - startedAt) / 1_000);
}

/** Entries from request to the entry's end with so many clients at once, the two sides in turn, the median of rounds. */
async function throughput(
  sides: readonly [Side, Side],
  rounds: number,
  entries: number,
  clients: number,
): Promise<Figure> {
  const samples = sides.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, side] of sides.entries()) samples[index]?.push(await entriesPerSecond(side, entries, clients));
  }
  const [ours = Number.NaN, bare = Number.NaN] = samples.map((each) => percentile(each, 0.5));
  return {
    name: `entries a second with ${clients} clients, product / bare`,
    goal: '>= 0.8x bare',
    measured: `${times(ours / bare)} (${ours.toFixed(1)} /s against ${bare.toFixed(1)} /s)`,
    n: 2 * rounds * entries,
    isMet: ours / bare >= 0.8,
  };
}

/** The product against bare Temporal on the same server in the same run. */
export async function enteringFigures(connection: Connection, bareNamespace: string): Promise<readonly Figure[]> {
  const sides = [
    { name: 'product', client: new Client({ connection, namespace: 'default' }) },
    { name: 'bare', client: new Client({ connection, namespace: bareNamespace }) },
  ] as const;
  for (const { client } of sides) for (let warm = 0; warm < 5; warm += 1) await decideOne(client, aRequest());
  return [await decisionLatency(sides, 60), await throughput(sides, 3, 64, 16)];
}
