import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ReplayHistoriesIterable, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowTypes } from '../../src/contracts/messages/names.ts';
import { bundleOf, workflowBundle } from '../support/workflow-bundle.ts';
import { withoutLogs } from '../support/workflow-environment.ts';

// What ran before must run on in the code of today. Recorded by test/histories/record.ts.

type Recorded = {
  readonly name: string;
  readonly lifecycle: string;
  readonly workflowId: string;
  readonly history: { readonly events: readonly Record<string, unknown>[] };
};

const folder = fileURLToPath(new URL('../histories/', import.meta.url));

const recorded: readonly Recorded[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => {
    const { workflowId, events } = JSON.parse(readFileSync(`${folder}${file}`, 'utf8'));
    return { name: file.replace('.json', ''), lifecycle: file.split('-')[0] ?? '', workflowId, history: { events } };
  });

/** How each replay ended, in the order of the histories. */
async function replay(
  workflowBundle: { readonly code: string },
  histories: readonly Recorded[],
): Promise<readonly (Error | undefined)[]> {
  const results = Worker.runReplayHistories({ workflowBundle }, histories as unknown as ReplayHistoriesIterable);
  const errors = [];
  for await (const { error } of results) errors.push(error);
  return errors;
}

describe('F56: every recorded history', () => {
  let errors: ReadonlyMap<string, Error | undefined>;

  beforeAll(async () => {
    withoutLogs();
    const results = await replay(await workflowBundle(), recorded);
    errors = new Map(recorded.map(({ name }, i) => [name, results[i]]));
  });

  test.each(recorded)('replays: $name', ({ name }) => {
    expect(errors.has(name)).toBe(true);
    expect(errors.get(name)).toBeUndefined();
  });

  test('is of one of the lifecycles, and each lifecycle has one', () => {
    expect(new Set(recorded.map(({ lifecycle }) => lifecycle))).toEqual(new Set(Object.values(workflowTypes)));
  });
});

describe('a replay fails', () => {
  const [oneExit] = recorded.filter(({ lifecycle }) => lifecycle === 'exit');
  const exit = oneExit as Recorded;

  test('of a history under another lifecycle', async () => {
    const [started, ...later] = exit.history.events;
    const attributes = {
      ...(started?.['workflowExecutionStartedEventAttributes'] as object),
      workflowType: { name: workflowTypes.accountWatch },
    };
    const events = [{ ...started, workflowExecutionStartedEventAttributes: attributes }, ...later];
    const [error] = await replay(await workflowBundle(), [{ ...exit, history: { events } }]);
    expect(error).toBeInstanceOf(DeterminismViolationError);
  });

  test('F56: with a lifecycle that asks for other things than it did', async () => {
    const anotherOrder = fileURLToPath(new URL('./misfits/another-order.ts', import.meta.url));
    const [error] = await replay(await bundleOf(anotherOrder), [exit]);
    expect(error).toBeInstanceOf(DeterminismViolationError);
  });
});
