import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Connection } from '@temporalio/client';
import { enteringFigures } from './entering.ts';
import { exitFigures } from './exiting.ts';
import { startBenchStack } from './stack.ts';
import type { Figure } from './statistics.ts';

const bareNamespace = 'bare';

/** The whole stack, and beside it a worker on bare Temporal, on the same server. */
export async function againstBare(): Promise<readonly Figure[]> {
  const stack = await startBenchStack();
  const { address } = stack.file.temporal;
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace: bareNamespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await connection.operatorService.addSearchAttributes({
    namespace: bareNamespace,
    searchAttributes: Object.fromEntries(
      ['RatchetSymbol', 'RatchetStrategy', 'RatchetState', 'RatchetAccount'].map((name) => [name, 2]),
    ),
  });
  const bare = spawn(process.execPath, ['--import', 'tsx', 'test/bench/bare-worker.ts', address, bareNamespace], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(bare.stdout, 'data');
  try {
    const bareSide = { namespace: bareNamespace, workerPid: bare.pid ?? 0 };
    return [...(await exitFigures(stack, connection, 60)), ...(await enteringFigures(connection, stack, bareSide))];
  } finally {
    bare.stdin.end();
    await once(bare, 'exit');
    await connection.close();
    await stack.stop();
  }
}
