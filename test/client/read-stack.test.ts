import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type RatchetSettings, readStack } from '../../src/client/index.ts';
import { writeStackFile } from '../../src/config/stack-file.ts';

const data = mkdtempSync(join(tmpdir(), 'ratchet-client-'));
afterAll(() => rmSync(data, { recursive: true }));

test('reads the addresses that a stack has written, with the key itself', () => {
  const keyFile = join(data, 'api-key');
  writeFileSync(keyFile, 'rk-1234567890abcdef\n');
  writeStackFile(data, {
    version: 1,
    mode: 'paper',
    account: 'main',
    venue: 'paper',
    startedAtMs: 1,
    temporal: { address: '127.0.0.1:7233', namespace: 'default' },
    database: { url: 'postgresql://127.0.0.1/ratchet' },
    api: { url: 'http://127.0.0.1:7420', keyFile },
    processes: {},
  });
  // What is read is what connectRatchet takes.
  const settings: RatchetSettings = readStack(data);
  expect(settings).toMatchObject({
    temporal: { address: '127.0.0.1:7233', namespace: 'default' },
    api: { url: 'http://127.0.0.1:7420', key: 'rk-1234567890abcdef' },
  });
});

test.each([
  { name: 'a folder without a stack', write: () => {}, code: 'STACK_NOT_FOUND' },
  {
    name: 'a file of another kind',
    write: (folder: string) => writeFileSync(join(folder, 'stack.json'), '{"version":2}'),
    code: 'STACK_FILE_INVALID',
  },
])('refuses $name', ({ write, code }) => {
  const folder = mkdtempSync(join(data, 'other-'));
  write(folder);
  expect(() => readStack(folder)).toThrow(code);
});
