import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a process says that ends with this error, and its exit code. */
function endOf(expression: string): { readonly status: number | null; readonly stderr: string } {
  const program = `
    import { endWithReason } from './src/main/process-life.ts';
    import { RatchetError } from './src/domain/errors.ts';
    endWithReason();
    throw ${expression};
  `;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 25_000 });
}

test.each([
  `new Error('connect postgresql://ratchet:canary-pw@db:5432 failed')`,
  `new TypeError('GET /api/v3/order?symbol=BTCUSDT&signature=canary-sig failed')`,
  `new RatchetError('TEMPORAL_CONFIG_INVALID', { problem: 'Authorization: Bearer canary-token' })`,
])('F83: a process that ends with %s says why without the secret', (expression) => {
  const { status, stderr } = endOf(expression);
  expect(status).toBe(1);
  expect(stderr).toContain('[redacted]');
  expect(stderr).not.toContain('canary');
});
