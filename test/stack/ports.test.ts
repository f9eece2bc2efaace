import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
  const port = await choosePort(21_417);
  expect(port).toBe(21_417);
  expect(await isFree(port)).toBe(true);
});

test('a taken port is replaced by the next free one in strides of 100', async () => {
  const wanted = 21_537;
  await listen(wanted);
  expect(await choosePort(wanted)).toBe(wanted + 100);
});

test('a port that was handed out is not given twice, although nobody listens there yet', async () => {
  const first = await choosePort(21_657);
  const second = await choosePort(21_657);
  expect([first, second]).toEqual([21_657, 21_757]);
});

test('a port of another stack is not free while the part that listens there is dead', async () => {
  const wanted = 21_877;
  const code = `
    const { choosePort } = await import('./src/stack/ports.ts');
    console.log(await choosePort(${wanted}));
    setInterval(() => undefined, 1_000);
  `;
  const other = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
  onTestFinished(() => void other.kill('SIGKILL'));
  expect(String((await once(other.stdout, 'data'))[0])).toBe(`${wanted}\n`);
  expect(await choosePort(wanted)).toBe(wanted + 100);

  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(await choosePort(wanted)).toBe(wanted);
});
