import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startProxy, type TcpProxy } from './proxy.ts';

/** A server that says everything back, behind a proxy. */
async function anEcho(): Promise<TcpProxy> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  return proxy;
}

function aClient({ port }: TcpProxy): {
  readonly socket: Socket;
  readonly heard: () => string;
  ended: Promise<string>;
} {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  const ended = new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve('closed'));
  });
  return { socket, heard: () => text, ended };
}

const heardAfter = async (client: ReturnType<typeof aClient>, text: string): Promise<string> => {
  client.socket.write(text);
  for (let i = 0; i < 40 && !client.heard().endsWith(text); i += 1) await delay(5);
  return client.heard();
};

describe('the proxy', () => {
  test('passes on what it gets, both ways', async () => {
    const client = aClient(await anEcho());
    expect(await heardAfter(client, 'hello')).toBe('hello');
  });

  test('keeps everything back in a black hole, and delivers it in order once it is healed', async () => {
    const proxy = await anEcho();
    const client = aClient(proxy);
    await heardAfter(client, 'a');
    proxy.become({ kind: 'blackhole' });
    expect(await heardAfter(client, 'b')).toBe('a');
    client.socket.write('c');
    const late = aClient(proxy);
    expect(await heardAfter(late, 'x')).toBe('');
    proxy.heal();
    expect(await heardAfter(client, 'd')).toBe('abcd');
    expect(await heardAfter(late, 'y')).toBe('xy');
  });

  test('ends what is connected and refuses what comes when it is cut', async () => {
    const proxy = await anEcho();
    const client = aClient(proxy);
    await heardAfter(client, 'a');
    proxy.become({ kind: 'cut' });
    expect(await client.ended).toBe('ECONNRESET');
    expect(await aClient(proxy).ended).toMatch(/ECONNRESET|closed/);
  });

  test('resets what is connected, and takes the next', async () => {
    const proxy = await anEcho();
    const client = aClient(proxy);
    await heardAfter(client, 'a');
    proxy.reset();
    expect(await client.ended).toBe('ECONNRESET');
    expect(await heardAfter(aClient(proxy), 'b')).toBe('b');
  });

  test('holds each piece up', async () => {
    const proxy = await anEcho();
    const client = aClient(proxy);
    await heardAfter(client, 'a');
    proxy.become({ kind: 'slow', ms: 30 });
    client.socket.write('b');
    await delay(20);
    expect(client.heard()).toBe('a');
    expect(await heardAfter(client, 'c')).toBe('abc');
  });

  test('ends a connection after so many bytes of the answer', async () => {
    const proxy = await anEcho();
    proxy.become({ kind: 'limit', bytes: 3 });
    const client = aClient(proxy);
    client.socket.write('abcdef');
    await client.ended;
    expect('abc').toContain(client.heard());
  });
});
