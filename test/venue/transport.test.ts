import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { createTransport, type Transport } from '../../src/venue/transport.ts';
import { keepUntilTheEnd } from './support/closing.ts';
import { ok, startScriptedVenue } from './support/scripted-venue.ts';

const keep = keepUntilTheEnd();

const aTransport = (): Transport => {
  const transport = createTransport();
  keep(transport);
  return transport;
};

const get = (url: string) => ({ method: 'GET', url, headers: {}, timeoutMs: 5000 }) as const;

test('keeps a connection for many requests, and nothing piles up on it', async () => {
  const server = await startScriptedVenue({ 'GET /x': () => ok('hello') });
  keep(server);
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  const transport = aTransport();
  for (let i = 0; i < 50; i += 1) {
    expect(await transport.request(get(`${server.url}/x`))).toMatchObject({
      kind: 'answer',
      status: 200,
      body: 'hello',
    });
  }
  process.off('warning', warn);
  expect(new Set(server.requests.map(({ headers }) => headers.connection))).toEqual(new Set(['keep-alive']));
  expect(warnings).toEqual([]);
});

test('follows no redirect', async () => {
  const server = await startScriptedVenue({
    'GET /x': () => ({ status: 302, body: '', headers: { location: '/y' } }),
    'GET /y': () => ok('elsewhere'),
  });
  keep(server);
  expect(await aTransport().request(get(`${server.url}/x`))).toMatchObject({ kind: 'answer', status: 302 });
  expect(server.requests).toHaveLength(1);
});

test('gives up in time, however much garbage is collected meanwhile', async () => {
  const server = keep(await startScriptedVenue({ 'GET /x': () => 'hang' }));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const transport = aTransport();
  const callers = [undefined, new AbortController().signal];
  const answers = Array.from({ length: 20 }, (_, i) => {
    const signal = callers[i % 2];
    return transport.request({ ...get(`${server.url}/x`), timeoutMs: 300, ...(signal && { signal }) });
  });
  for (let i = 0; i < 5; i += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const answer of await Promise.all(answers)) {
    expect(answer).toMatchObject({ kind: 'failure', failure: 'timeout', firstByteSent: true });
  }
});

test('does not leave for a caller that has given up before', async () => {
  const server = keep(await startScriptedVenue({ 'GET /x': () => ok('hello') }));
  const answer = await aTransport().request({ ...get(`${server.url}/x`), signal: AbortSignal.abort() });
  expect(answer).toMatchObject({ kind: 'failure', failure: 'timeout', firstByteSent: false });
  expect(server.requests).toEqual([]);
});

test('leaves nothing behind with a caller that lives on', async () => {
  const server = keep(await startScriptedVenue({ 'GET /x': () => ok('hello') }));
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  const transport = aTransport();
  for (let i = 0; i < 3; i += 1) await transport.request({ ...get(`${server.url}/x`), signal });
  expect(added).toHaveBeenCalledTimes(3);
  expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(added.mock.calls.map(([, listener]) => listener));
});

test('gives up when its caller does', async () => {
  const server = await startScriptedVenue({ 'GET /x': () => 'hang' });
  keep(server);
  const caller = new AbortController();
  const answer = aTransport().request({ ...get(`${server.url}/x`), signal: caller.signal });
  setTimeout(() => caller.abort(), 50);
  expect(await answer).toMatchObject({ kind: 'failure', failure: 'timeout' });
});

test('reads an answer of many bytes as the text that it is', async () => {
  const text = 'ψ'.repeat(300_000);
  const server = await startScriptedVenue({ 'GET /x': () => ok(text) });
  keep(server);
  expect(await aTransport().request(get(`${server.url}/x`))).toMatchObject({ body: text });
});
