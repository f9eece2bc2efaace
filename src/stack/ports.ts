import { createServer } from 'node:net';
import { StackFailure } from './failure.ts';

/** How far apart the candidates are: 7233, 7333, 7433, … They stay below the ports that outgoing connections use. */
const stride = 100;
const candidates = 100;

/** Whether nothing listens on this port of the loopback address at the moment. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * The wanted port, or the next free one in strides of 100. `given` are those this stack has handed out already, to
 * children that do not listen yet; the chosen one is added.
 *
 * @throws StackFailure when all candidates are taken.
 */
export async function choosePort(wanted: number, given: Set<number>): Promise<number> {
  for (let i = 0; i < candidates; i++) {
    const port = wanted + i * stride;
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new StackFailure(
    `No port is free: ${wanted} and the next ${candidates - 1} in steps of ${stride} are taken.`,
    'stop some of the programs that listen on them',
  );
}
