import { createServer, type Server } from 'node:net';
import { StackFailure } from './failure.ts';

/** How far apart the candidates are: 7233, 7333, 7433, … They stay below the ports that outgoing connections use. */
const stride = 100;
const candidates = 100;
/** A stack listens so far above each of its ports for as long as it lives: the part itself may be dead for a moment. */
const claimAbove = 50;

/** Whether nothing listens on this port of the loopback address at the moment. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (server === undefined) return false;
  await closed(server);
  return true;
}

/**
 * The wanted port, or the next free one in strides of 100. It stays this process's until its end: no other stack takes
 * it while the part that listens there starts again, which would let clients of the one talk to the other.
 *
 * @throws StackFailure when all candidates are taken.
 */
export async function choosePort(wanted: number): Promise<number> {
  for (let i = 0; i < candidates; i++) {
    const port = wanted + i * stride;
    const claim = await listening(port + claimAbove);
    if (claim === undefined) continue;
    if (await isFree(port)) return port;
    await closed(claim);
  }
  throw new StackFailure(
    `No port is free: ${wanted} and the next ${candidates - 1} in steps of ${stride} are taken.`,
    'stop some of the programs that listen on them',
  );
}

/** A server that keeps no process alive, or undefined where somebody else listens. */
function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy()).unref();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
