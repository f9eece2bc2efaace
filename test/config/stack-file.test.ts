import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readStackFile, type StackFile, stackFilePath, writeStackFile } from '../../src/config/stack-file.ts';

const aFolder = (): string => mkdtempSync(join(tmpdir(), 'ratchet-stack-'));

const aStack = (): StackFile => ({
  version: 1,
  mode: 'paper',
  account: 'main',
  venue: 'paper',
  startedAtMs: 1_795_262_400_000,
  temporal: { address: '127.0.0.1:7233', namespace: 'default', uiUrl: 'http://127.0.0.1:8233' },
  database: { url: 'postgresql://ratchet_app:x@127.0.0.1:5433/ratchet' },
  api: { url: 'http://127.0.0.1:7420', keyFile: '/data/secrets/api-key' },
  processes: { worker: { pid: 4711 } },
});

describe('the stack file', () => {
  test('is read back as it was written', () => {
    const folder = join(aFolder(), 'new');
    writeStackFile(folder, aStack());
    expect(readStackFile(folder)).toEqual(aStack());
  });

  test('is readable by its owner only, because it has a password', () => {
    const folder = aFolder();
    writeStackFile(folder, aStack());
    expect(statSync(stackFilePath(folder)).mode & 0o777).toBe(0o600);
  });

  test('is absent where nothing was started', () => {
    expect(readStackFile(aFolder())).toBeUndefined();
  });

  test('keeps the fields of a newer version', () => {
    const folder = aFolder();
    writeFileSync(stackFilePath(folder), JSON.stringify({ ...aStack(), console: 'http://127.0.0.1:1' }));
    expect(readStackFile(folder)).toMatchObject({ console: 'http://127.0.0.1:1' });
  });

  test.each([
    { name: 'half a file', text: JSON.stringify(aStack()).slice(0, 80) },
    { name: 'another version', text: JSON.stringify({ ...aStack(), version: 2 }) },
    { name: 'no address of the API', text: JSON.stringify({ ...aStack(), api: {} }) },
  ])('refuses $name by its code', ({ text }) => {
    const folder = aFolder();
    writeFileSync(stackFilePath(folder), text);
    expect(() => readStackFile(folder)).toThrow(expect.objectContaining({ code: 'STACK_FILE_INVALID' }));
  });
});
