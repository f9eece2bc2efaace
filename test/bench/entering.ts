import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { entryStart } from '../../src/client/entry-start.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { updates } from '../../src/contracts/messages/messages.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { cpuMsOf } from './cpu.ts';
import type { BenchStack } from './stack.ts';
import { type Figure, ms, percentile, times } from './statistics.ts';

type Side = {
  readonly name: string;
  readonly client: Client;
  /** What its processes have used of the CPU so far, by their names. */
  cpuMs(): CpuMsByName;
};

type CpuMsByName = Readonly<Record<string, number>>;

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

/** What a round of entries took: of the time, and of each process's CPU. */
type Round = { readonly perSecond: number; readonly cpuMsEach: CpuMsByName };

/** What the processes use while nothing is entered, in ms a second: on a slow machine it would count as the entries'. */
async function restOf({ cpuMs }: Side): Promise<CpuMsByName> {
  const before = cpuMs();
  await delay(restMs);
  const used = Object.entries(cpuMs()).map(([name, ms]) => [name, (ms - (before[name] ?? 0)) / (restMs / 1_000)]);
  return Object.fromEntries(used);
}
const restMs = 10_000;

async function enterAll({ client, cpuMs }: Side, rest: CpuMsByName, entries: number, clients: number): Promise<Round> {
  const startedAt = performance.now();
  const before = cpuMs();
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
  const seconds = (performance.now() - startedAt) / 1_000;
  const used = Object.entries(cpuMs()).map(([name, ms]) => {
    const own = ms - (before[name] ?? 0) - seconds * (rest[name] ?? 0);
    return [name, Math.max(0, own) / entries] as const;
  });
  return { perSecond: entries / seconds, cpuMsEach: Object.fromEntries(used) };
}

/** Entries from request to the entry's end with so many clients at once, the two sides in turn, the median of rounds. */
async function throughput(
  sides: readonly [Side, Side],
  rounds: number,
  entries: number,
  clients: number,
): Promise<readonly Figure[]> {
  const samples = sides.map((): Round[] => []);
  const rests = [await restOf(sides[0]), await restOf(sides[1])];
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, side] of sides.entries())
      samples[index]?.push(await enterAll(side, rests[index] ?? {}, entries, clients));
  }
  const [ours = [], bare = []] = samples;
  const n = 2 * rounds * entries;
  const [oursRate = 0, bareRate = 0] = [ours, bare].map((some) => medianOf(some.map(({ perSecond }) => perSecond)));
  const [oursCpu = 0, bareCpu = 0] = [ours, bare].map((some) =>
    medianOf(some.map(({ cpuMsEach }) => sumOf(cpuMsEach))),
  );
  return [
    {
      name: `entries a second with ${clients} clients, product / bare`,
      goal: '>= 0.8x bare',
      measured: `${times(oursRate / bareRate)} (${oursRate.toFixed(1)} /s against ${bareRate.toFixed(1)} /s)`,
      n,
      isMet: oursRate / bareRate >= 0.8,
    },
    {
      name: 'the same by CPU time of all processes an entry, without what they use at rest, bare / product',
      goal: '>= 0.8x bare',
      measured: `${times(bareCpu / oursCpu)} (${ms(oursCpu)} against ${ms(bareCpu)})`,
      n,
      isMet: bareCpu / oursCpu >= 0.8,
    },
    ...Object.keys(ours[0]?.cpuMsEach ?? {}).map((name): Figure => {
      const [its = 0, bares = 0] = [ours, bare].map((some) =>
        medianOf(some.map(({ cpuMsEach }) => cpuMsEach[name] ?? 0)),
      );
      return {
        name: `of it: ${name}, product / bare`,
        goal: 'reported',
        measured: `${ms(its)} / ${ms(bares)}`,
        n,
        isMet: null,
      };
    }),
  ];
}

const medianOf = (samples: readonly number[]): number => percentile(samples, 0.5);
const sumOf = (values: CpuMsByName): number => Object.values(values).reduce((sum, value) => sum + value, 0);

/** The product against bare Temporal on the same server in the same run. */
export async function enteringFigures(
  connection: Connection,
  stack: BenchStack,
  bare: { readonly namespace: string; readonly workerPid: number },
): Promise<readonly Figure[]> {
  const ownMs = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  };
  // What stands still on a side still costs something, and is nobody's: each side counts what it uses.
  const sides = [
    {
      name: 'product',
      client: new Client({ connection, namespace: 'default' }),
      cpuMs: () => ({ ...stack.cpuMs(), client: ownMs() }),
    },
    {
      name: 'bare',
      client: new Client({ connection, namespace: bare.namespace }),
      cpuMs: () => ({ worker: cpuMsOf(bare.workerPid), Temporal: stack.cpuMs().Temporal, client: ownMs() }),
    },
  ] as const;
  for (const { client } of sides) for (let warm = 0; warm < 5; warm += 1) await decideOne(client, aRequest());
  return [await decisionLatency(sides, 60), ...(await throughput(sides, 3, 64, 16))];
}
