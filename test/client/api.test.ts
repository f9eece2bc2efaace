import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { createApi } from '../../src/client/api.ts';
import { RatchetClientError } from '../../src/client/client-error.ts';
import { followTrade } from '../../src/client/follow-trade.ts';
import type { TradeRecord } from '../../src/contracts/schemas/trade-view.ts';
import { freePort } from '../../src/main/free-port.ts';

type Reply = { readonly status: number; readonly body: unknown };
type Asked = { readonly method: string; readonly url: string; readonly key: string; readonly body: string };

let server: Server | undefined;
afterEach(() => server?.close());

/** A server that answers the calls in turn; the last answer stays. */
async function answering(...replies: readonly Reply[]) {
  const asked: Asked[] = [];
  server = createServer((request, response) => {
    const reply = replies[Math.min(asked.length, replies.length - 1)];
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, key: String(headers.authorization), body: Buffer.concat(parts).toString() });
      response.writeHead(reply?.status ?? 500, { 'content-type': 'application/json' });
      response.end(typeof reply?.body === 'string' ? reply.body : JSON.stringify(reply?.body));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { asked, api: createApi({ url: `http://127.0.0.1:${port}`, key: 'the-key' }) };
}

const failure = async (promise: Promise<unknown>): Promise<RatchetClientError> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RatchetClientError);
  return error as RatchetClientError;
};

describe('createApi', () => {
  test('sends the key and the body, and reads the answer', async () => {
    const { api, asked } = await answering({ status: 200, body: { outcome: 'requested' } });
    expect(await api.post('/v1/trades/t-1/close', { reason: 'news' })).toEqual({ outcome: 'requested' });
    expect(asked).toEqual([
      { method: 'POST', url: '/v1/trades/t-1/close', key: 'Bearer the-key', body: '{"reason":"news"}' },
    ]);
  });

  test("throws the API's own refusal, with code, remedy and faults", async () => {
    const faults = [{ field: 'reason', value: '(absent)', allowed: 'the reason, a text' }];
    const body = { code: 'REQUEST_INVALID', message: 'No.', remedy: 'Mend it.', faults };
    const { api } = await answering({ status: 400, body });
    const error = await failure(api.post('/v1/halts', {}));
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', remedy: 'Mend it.', faults, retryable: false });
    expect(JSON.parse(JSON.stringify(error))).toEqual(body);
    expect(error.message).toMatch(/REQUEST_INVALID: No\. To fix: Mend it\.\n {2}reason: \(absent\)/);
  });

  test.each([
    { name: 'a page of a proxy', reply: { status: 502, body: '<html>' } },
    { name: 'JSON that is not ours', reply: { status: 502, body: { error: 'bad gateway' } } },
  ])('takes $name for an API that is not there', async ({ reply }) => {
    const { api } = await answering(reply);
    expect(await failure(api.get('/v1/status'))).toMatchObject({ code: 'API_UNAVAILABLE', retryable: true });
  });

  test('says that nobody listens', async () => {
    const api = createApi({ url: `http://127.0.0.1:${await freePort()}`, key: 'x' });
    const error = await failure(api.get('/v1/status'));
    expect(error).toMatchObject({ code: 'API_UNAVAILABLE', body: { context: { detail: 'ECONNREFUSED' } } });
  });

  test('gives up in time, however much garbage is collected meanwhile', async () => {
    server = createServer(() => undefined);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const api = createApi({ url: `http://127.0.0.1:${port}`, key: 'x' });
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { signal } = new AbortController();
    const asked = Array.from({ length: 10 }, () => failure(api.get('/v1/status', { timeoutMs: 200, signal })));
    for (let i = 0; i < 5; i += 1) {
      collect();
      await setTimeout(20);
    }
    for (const error of await Promise.all(asked)) expect(error).toMatchObject({ code: 'API_UNAVAILABLE' });
    server.closeAllConnections();
  });
});

const record = (no: number): TradeRecord => ({
  no,
  seq: no,
  type: 'Fill',
  at: '2026-11-21T14:00:00.000000Z',
  actor: { type: 'system', id: 'test' },
  data: {},
});

const page = (numbers: readonly number[], isOver: boolean): Reply => ({
  status: 200,
  body: { records: numbers.map(record), isOver },
});

async function numbersOf(records: AsyncIterable<TradeRecord>): Promise<readonly number[]> {
  const numbers: number[] = [];
  for await (const { no } of records) numbers.push(no);
  return numbers;
}

describe('followTrade', () => {
  test('goes on behind the last record, until the trade is over', async () => {
    const { api, asked } = await answering(page([3, 4], false), page([], false), page([9], true));
    expect(await numbersOf(followTrade(api, 'a/b', { after: 2 }))).toEqual([3, 4, 9]);
    expect(asked.map(({ url }) => url.replace(/&.*/, ''))).toEqual([
      '/v1/trades/a%2Fb/records?after=2',
      '/v1/trades/a%2Fb/records?after=4',
      '/v1/trades/a%2Fb/records?after=4',
    ]);
  });

  test('outlives an API that is away, and misses nothing', async () => {
    const away = { status: 502, body: 'restarting' };
    const { api } = await answering(page([1], false), away, page([2], true));
    expect(await numbersOf(followTrade(api, 't-1'))).toEqual([1, 2]);
  });

  test('throws what trying again can not mend', async () => {
    const unknown = { code: 'TRADE_UNKNOWN', message: 'No.', remedy: 'Look.' };
    const { api } = await answering({ status: 404, body: unknown });
    expect(await failure(numbersOf(followTrade(api, 't-1')))).toMatchObject({ code: 'TRADE_UNKNOWN' });
  });

  test('ends when whoever follows has enough', async () => {
    const stopping = new AbortController();
    const { api } = await answering(page([1, 2], false));
    const seen: number[] = [];
    for await (const { no } of followTrade(api, 't-1', { signal: stopping.signal })) {
      seen.push(no);
      stopping.abort();
    }
    expect(seen).toEqual([1, 2]);
  });
});
