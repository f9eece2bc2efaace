import type { EventType } from '../../../src/contracts/messages/events.ts';
import type { Db } from '../../../src/store/database.ts';
import { createDatabase } from '../../../src/store/database.ts';
import { isUnavailable } from '../../../src/store/database-errors.ts';
import { recordAll } from '../../../src/store/record.ts';

// A process that records as fast as it can: so many calls of so many records each, each call in a transaction of its own,
// from several producers at once. What the database could not answer is recorded again under the same id, as every
// caller of the product does. At the end it says on one line what it came to, with the highest call of each producer
// whose commit was confirmed.
const [url = '', prefix = '', producers = '1', calls = '0', batch = '1'] = process.argv.slice(2);
const db = createDatabase({ url, applicationName: 'append', poolMax: 16, onError: () => {} });
const filler = 'x'.repeat(180);

const eventsOf = (producer: number, call: number) =>
  Array.from({ length: Number(batch) }, (_, i) => ({
    type: 'StopMoved' satisfies EventType as EventType,
    key: [prefix, producer, call, i],
    tradeId: `${prefix}-${producer}`,
    atMs: 1_795_262_400_000 + call,
    actor: { type: 'workflow', id: `stop-${prefix}-${producer}` } as const,
    data: { producer, call, i, filler },
  }));

const commit = (on: Db, events: ReturnType<typeof eventsOf>): Promise<void> =>
  on.transaction().execute((tx) => recordAll(tx, events));

let failures = 0;
async function produce(producer: number): Promise<number> {
  for (let call = 0; call < Number(calls); call += 1) {
    for (let isDone = false; !isDone; ) {
      isDone = await commit(db, eventsOf(producer, call)).then(
        () => true,
        async (error: unknown) => {
          if (!isUnavailable(error)) throw error;
          failures += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
          return false;
        },
      );
    }
    process.stdout.write(`${producer} ${call}\n`);
  }
  return Number(calls);
}

process.stdout.write('ready\n');
process.stdin.once('data', async () => {
  const startedAtMs = performance.now();
  const done = await Promise.all(Array.from({ length: Number(producers) }, (_, producer) => produce(producer)));
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const acknowledged = done.reduce((sum, count) => sum + count, 0);
  process.stdout.write(
    `${JSON.stringify({ acknowledged, records: acknowledged * Number(batch), failures, seconds })}\n`,
  );
  await db.destroy();
  process.exit();
});
