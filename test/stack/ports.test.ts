import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { choosePort, isFree } from '../../src/stack/ports.ts';

async function listen(port = 0): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('a port that somebody listens on is not free', async () => {
  expect(await isFree(await listen())).toBe(false);
});

test('a wanted port that is free is chosen', async () => {
  const port = await choosePort(21_417, new Set());
  expect(port).toBe(21_417);
  expect(await isFree(port)).toBe(true);
});

test('a taken port is replaced by the next free one in strides of 100', async () => {
  const wanted = 21_537;
  await listen(wanted);
  expect(await choosePort(wanted, new Set())).toBe(wanted + 100);
});

test('a port that this stack has handed out is not given twice', async () => {
  const given = new Set<number>();
  const first = await choosePort(21_657, given);
  const second = await choosePort(21_657, given);
  expect([first, second]).toEqual([21_657, 21_757]);
});
