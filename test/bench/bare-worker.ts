import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import type { OrderReported } from '../../src/contracts/messages/messages.ts';
import { signals } from '../../src/contracts/messages/messages.ts';
import { entryId, positionId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { workflowBundle } from '../support/workflow-bundle.ts';

/**
 * Bare Temporal: the product's own workflows, signals and activities, and nothing in the bodies of the activities. No
 * database, no venue, no record. What is left is what Temporal itself costs.
 */
const [address = '', namespace = ''] = process.argv.slice(2);
const connection = await NativeConnection.connect({ address });
const client = new Client({ connection, namespace });

const filled = (tradeId: string): OrderReported => ({
  clientOrderId: tradeId,
  purpose: 'entry',
  leg: 0,
  generation: 1,
  status: 'filled',
  inDoubt: false,
  filledQuantity: decimal('1'),
  filledQuote: decimal('1'),
  fillsComplete: true,
});

const bodies: Partial<Activities> = {
  async checkLimits(request: unknown) {
    const { tradeId } = request as EntryRequest;
    const decision = { tradeId, outcome: 'approved', reasons: [], evaluations: [], decidedAtMs: Date.now() } as const;
    return { outcome: 'approved', decision, request: request as EntryRequest };
  },
  async placeOrder({ tradeId }) {
    // The messages that a first fill sends are part of the shape, so they are sent here too.
    const report = filled(tradeId);
    await Promise.all([
      client.workflow.signalWithStart(workflowTypes.positionMonitoring, {
        workflowId: positionId(tradeId),
        taskQueue: taskQueues.guards,
        workflowTaskTimeout: '3 seconds',
        args: [
          {
            tradeId,
            account: 'main',
            strategy: 'bench',
            venue: 'paper',
            leg: 0,
            symbol: 'BTC/USDT',
            side: 'long',
            exit: { timeStopMs: 3_600_000 },
          },
        ],
        signal: signals.entryProgressed,
        signalArgs: [
          { entryQuantity: '1', entryQuote: '1', isFinal: true, firstFillAtMs: Date.now(), firstVenueTradeId: '1' },
        ],
      }),
      client.workflow
        .getHandle(entryId(tradeId))
        .signal(signals.orderReported, report)
        .catch(() => undefined),
    ]);
    return report;
  },
  armGuards: async () => [],
};

const { code } = await workflowBundle();
const queues = [taskQueues.entries, taskQueues.guards, taskQueues.venue('paper')];
const workers = await Promise.all(
  queues.map((taskQueue) =>
    Worker.create({
      connection,
      namespace,
      taskQueue,
      workflowBundle: { code },
      activities: bodies,
      maxConcurrentWorkflowTaskExecutions: 40,
      stickyQueueScheduleToStartTimeout: '500 ms',
    }),
  ),
);
const running = Promise.all(workers.map((worker) => worker.run()));
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.once('end', () => {
  for (const worker of workers) worker.shutdown();
});
await running;
