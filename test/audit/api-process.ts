import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../src/main/api.ts', import.meta.url));
const nowhere = '127.0.0.1:9';

export type ApiProcess = {
  /** What it has written so far, to both outputs. */
  output(): string;
  /** Resolves once it says that it is ready; rejects where it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<number | null>;
  stop(): void;
};

/** The product's API process on a database, as it is started in production; without Temporal and venue, which it needs later. */
export function anApiProcess(options: {
  readonly databaseUrl: string;
  readonly dataFolder: string;
  readonly environment?: Readonly<Record<string, string>>;
}): ApiProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', script, '--exit-with-stdin'], {
    env: {
      ...process.env,
      DATABASE_URL: options.databaseUrl,
      RATCHET_DATA: options.dataFolder,
      RATCHET_VENUE_REST_URL: `http://${nowhere}`,
      RATCHET_VENUE_STREAM_URL: `ws://${nowhere}`,
      RATCHET_VENUE_WS_API_URL: `ws://${nowhere}/ws-api/v3`,
      VENUE_API_KEY: 'key',
      VENUE_API_SECRET: 'secret',
      RATCHET_API_PORT: '0',
      TEMPORAL_CONFIG_FILE: join(options.dataFolder, 'none.toml'),
      ...options.environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const ready = new Promise<void>((resolve, reject) => {
    const hear = (text: Buffer): void => {
      output += text;
      if (output.includes('"ready":true')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    ended.then((code) => reject(new Error(`it ended with ${code}: ${output}`)), reject);
  });
  ready.catch(() => undefined);
  return { output: () => output, ready, ended, stop: () => child.stdin.end() };
}
