import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { type ReplayHistoriesIterable, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Halt, signals } from '../../src/contracts/messages/messages.ts';
import { breakerId, taskQueues, workflowTypes } from '../../src/contracts/messages/names.ts';
import { encryptingConverter } from '../../src/contracts/payloads/data-converter.ts';
import { createPayloadCodec } from '../../src/contracts/payloads/payload-codec.ts';
import { parsePayloadKeys } from '../../src/contracts/payloads/payload-keys.ts';
import { workflowBundle } from '../support/workflow-bundle.ts';
import { eventually, timeSkippingServer, withoutLogs } from '../support/workflow-environment.ts';
import { aBreakerView } from './fixtures.ts';

// A lifecycle outlives the key it began with.

const material = { old: randomBytes(32).toString('base64'), young: randomBytes(32).toString('base64') };
type KeyId = keyof typeof material;
const optionsOf = (ids: readonly KeyId[]) => ({
  keys: parsePayloadKeys(ids.map((id) => `${id}:${material[id]}`).join(',')),
  encryptedOnly: true,
});

let environment: TestWorkflowEnvironment;
let heard: string[] = [];
beforeAll(async () => {
  withoutLogs();
  environment = await timeSkippingServer();
});
afterAll(() => environment?.teardown());

const clientWith = (...ids: KeyId[]): Client =>
  new Client({ connection: environment.connection, dataConverter: encryptingConverter(optionsOf(ids)) });

/** A worker with these keys while something is done. */
async function withWorker(ids: readonly KeyId[], work: () => Promise<unknown>): Promise<void> {
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: taskQueues.guards,
    // Each worker reads the whole history, and none leaves tasks behind on a queue of its own.
    maxCachedWorkflows: 0,
    workflowBundle: await workflowBundle(),
    dataConverter: { payloadCodecs: [createPayloadCodec(optionsOf(ids))] },
    activities: {
      foldBreaker: async () => aBreakerView(),
      haltTrading: async ({ halt }: { halt: Halt }) => {
        heard.push(halt.reason);
        return aBreakerView();
      },
    },
  });
  await worker.runUntil(work);
}

const breaker = { scope: 'account-keys', account: 'account-keys' };
const workflowId = breakerId(breaker.scope);
const halt = (client: Client, reason: string) =>
  client.workflow.getHandle(workflowId).signal<[Halt]>(signals.halt, { actor: 'ana', reason });
const historyOf = () => environment.client.workflow.getHandle(workflowId).fetchHistory();

async function replayed(ids: readonly KeyId[]): Promise<Error | undefined> {
  const histories = [{ workflowId, history: await historyOf() }] as ReplayHistoriesIterable;
  const dataConverter = { payloadCodecs: [createPayloadCodec(optionsOf(ids))] };
  for await (const { error } of Worker.runReplayHistories(
    { workflowBundle: await workflowBundle(), dataConverter },
    histories,
  )) {
    return error;
  }
  throw new Error('nothing was replayed');
}

describe('F84: a key that is rotated while a lifecycle runs', () => {
  test('what began under the old key goes on under the new one, and is nowhere plain', async () => {
    heard = [];
    await withWorker(['old'], async () => {
      const client = clientWith('old');
      await client.workflow.start(workflowTypes.circuitBreaker, {
        workflowId,
        taskQueue: taskQueues.guards,
        args: [breaker],
      });
      await halt(client, 'canary-before');
      await eventually(() => heard).toContain('canary-before');
    });
    await withWorker(['young', 'old'], async () => {
      await halt(clientWith('young', 'old'), 'canary-after');
      await eventually(() => heard).toContain('canary-after');
    });
    const payloads = payloadsOf(await historyOf());
    // Without a key: when a local activity ended, which the SDK's core writes itself.
    expect(new Set(payloads.map(({ keyId }) => keyId))).toEqual(new Set(['old', 'young', '']));
    expect(payloads.filter(({ data }) => data.includes('canary'))).toEqual([]);
  });

  test('its history replays with both keys, and with the new one alone it says which is missing', async () => {
    expect(await replayed(['young', 'old'])).toBeUndefined();
    expect(String(await replayed(['young']))).toContain('PAYLOAD_KEY_UNKNOWN');
  });

  test('a worker without the old key fails the task with its name, and nothing is lost until one has it', async () => {
    heard = [];
    await halt(clientWith('young'), 'canary-late');
    await withWorker(['young'], () =>
      eventually(async () => JSON.stringify((await historyOf()).events)).toContain('PAYLOAD_KEY_UNKNOWN'),
    );
    expect(heard).toEqual([]);
    await withWorker(['young', 'old'], () => eventually(() => heard).toContain('canary-late'));
  });
});

type Found = { readonly keyId: string; readonly data: Buffer };

/** Every payload in it, wherever it stands. */
function payloadsOf(value: unknown): readonly Found[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { data, metadata } = value as { data?: unknown; metadata?: Record<string, Uint8Array> | null };
  const own =
    data instanceof Uint8Array && metadata?.['encoding']
      ? [{ keyId: Buffer.from(metadata['encryption-key-id'] ?? []).toString(), data: Buffer.from(data) }]
      : [];
  return [...own, ...Object.values(value).flatMap(payloadsOf)];
}
