import { expect, test } from 'vitest';
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
