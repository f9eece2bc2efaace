import { setTimeout } from 'node:timers/promises';
import { Client, type Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { entryStart } from '../../src/client/entry-start.ts';
import { updates } from '../../src/contracts/messages/messages.ts';
import { exitId, positionId } from '../../src/contracts/messages/names.ts';
import type { PositionView } from '../../src/contracts/messages/views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { BenchStack } from './stack.ts';
import { type Figure, ms, percentile } from './statistics.ts';

type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly receivedAtMs: number;
  readonly parameters: Readonly<Record<string, string>>;
};

const high = '50000';
const low = '49000';
const stop = '49500';

/**
 * From a price that crosses a stop to the exit order's arrival in the venue's ledger, on one clock. One position at a
 * time, on a venue whose prices move only when they are told to.
 */
export async function exitFigures(stack: BenchStack, connection: Connection, n: number): Promise<readonly Figure[]> {
  const client = new Client({ connection });
  await stack.control('POST', '/__sim/replay', { action: 'pause' });
  const samples: number[] = [];
  for (let round = 0; round < n; round += 1)
    samples.push(await oneExit(stack, client, `bench-exit-${process.pid}-${round}`));
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  return [
    {
      name: "price crosses a stop -> the exit order in the venue's ledger, p50 / p99",
      goal: 'p99 <= 100 ms',
      measured: `${ms(p50)} / ${ms(p99)}`,
      n,
      isMet: p99 <= 100,
    },
  ];
}

async function oneExit(stack: BenchStack, client: Client, tradeId: string): Promise<number> {
  await stack.control('POST', '/__sim/tick', { price: high, quantity: '1' });
  await enterGuarded(client, tradeId);
  const crossedAtMs = Date.now();
  await stack.control('POST', '/__sim/tick', { price: low, quantity: '1' });
  await untilExited(client, tradeId);
  const { requests } = (await stack.control('GET', '/__sim/ledger?kind=requests')) as {
    requests: readonly SeenRequest[];
  };
  const exit = requests.find(
    ({ method, path, receivedAtMs, parameters }) =>
      method === 'POST' && path.endsWith('/order') && parameters['side'] === 'SELL' && receivedAtMs >= crossedAtMs,
  );
  if (exit === undefined) throw new Error(`the ledger has no exit order of ${tradeId}`);
  return exit.receivedAtMs - crossedAtMs;
}

async function enterGuarded(client: Client, tradeId: string): Promise<void> {
  const request = {
    tradeId,
    account: 'main',
    strategy: 'bench',
    venue: 'paper',
    legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: decimal('0.01'), unitDelta: decimal('1') }],
    entry: { type: 'MARKET' },
    exit: { stopLoss: { price: decimal(stop) } },
    requestedAtMs: Date.now(),
    validForMs: 10_000,
  } as const;
  await client.workflow.executeUpdateWithStart(updates.decide, {
    updateId: tradeId,
    startWorkflowOperation: new WithStartWorkflowOperation('entry', entryStart(request)),
  });
  const position = client.workflow.getHandle(positionId(tradeId));
  for (;;) {
    const view = await position.query<PositionView>('position').catch(() => undefined);
    if (view?.phase === 'guarded') break;
    await setTimeout(20);
  }
  // Guarded means armed in the book; the watch takes it up within its own loop.
  await setTimeout(150);
}

async function untilExited(client: Client, tradeId: string): Promise<void> {
  for (;;) {
    const ended = await client.workflow
      .getHandle(exitId(tradeId))
      .result()
      .then(
        () => true,
        () => false,
      );
    if (ended) return;
    await setTimeout(20);
  }
}
