import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { Connection } from '@temporalio/client';
import { crashFigures } from './crashing.ts';
import { enteringFigures } from './entering.ts';
import { exitFigures } from './exiting.ts';
import { pureFigures } from './pure.ts';
import { startBenchStack } from './stack.ts';
import { type Figure, tableOf } from './statistics.ts';

// `npm run bench`: the product against bare Temporal in one run, as a table of ratios and figures with their n.
const bareNamespace = 'bare';
const figures: Figure[] = [...pureFigures(), ...(await crashFigures(300))];
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
  figures.push(...(await exitFigures(stack, connection, 60)));
  figures.push(...(await enteringFigures(connection, bareNamespace)));
} finally {
  bare.stdin.end();
  await once(bare, 'exit');
  await connection.close();
  await stack.stop();
}
console.log(`\nNode ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}\n`);
console.log(tableOf(figures));
