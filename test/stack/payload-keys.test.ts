import { randomBytes } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectRatchet, readStack } from '../../src/client/index.ts';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { aDataFolder, type Stack, startStack } from '../support/stack.ts';
import { aRequest, untilPhase, untilSettled, untilWatched } from '../support/trading.ts';

// The whole stack with payload keys: a trade that is opened under one and closed under the next.
const data = aDataFolder();
const aKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [old, young] = [aKey('old'), aKey('young')];
let stack: Stack;

async function start(keys: string): Promise<void> {
  await stack?.disconnect();
  const environment = { RATCHET_PAYLOAD_KEYS: keys, RATCHET_PAYLOADS_ENCRYPTED_ONLY: 'true' };
  stack = await startStack({ data, environment });
}
beforeAll(() => start(old), 120_000);
afterAll(() => stack?.stop(), 60_000);

/** A client with a key of the workers. */
async function enterWith(payloadKeys: string | undefined, tradeId: string) {
  const connection = stack.temporal.connection as Connection;
  const client = await connectRatchet({ temporal: { connection }, api: readStack(data).api, payloadKeys });
  return client.enter({ ...aRequest(tradeId), reason: 'canary-reason' });
}

test('F84: a trade outlives the key that it was opened under, and Temporal never reads a word of it', async () => {
  expect(await enterWith(old, 'sealed')).toMatchObject({ outcome: 'approved' });
  await untilPhase(stack, 'sealed', 'open');
  await untilWatched(stack, 'sealed');
  expect(await stack.interrupt()).toBe(130);

  await start(`${young},${old}`);
  await stack.venue.tick('94');
  expect(await untilSettled(stack, 'sealed')).toBe('closed');
  const histories = await everyHistory();
  for (const id of ['old', 'young']) expect(histories).toContain(Buffer.from(id).toString('base64'));
  expect(decoded(histories)).not.toMatch(/canary-reason|"quantity"/);
  expect(judge(await gather(stack))).toEqual([]);
}, 200_000);

async function everyHistory(): Promise<string> {
  const texts: string[] = [];
  for await (const { workflowId, runId } of stack.temporal.workflow.list()) {
    texts.push(historyToJSON(await stack.temporal.workflow.getHandle(workflowId, runId).fetchHistory()));
  }
  return texts.join('\n');
}

/** With every payload once more as it was written: JSON has it in base64. */
const decoded = (json: string): string =>
  `${json}\n${[...json.matchAll(/"data":\s*"([^"]*)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString('latin1')).join('\n')}`;
