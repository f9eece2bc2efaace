import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aFolder } from './a-folder.ts';

// Plain JavaScript, which the compiler doesn't read: its types are written down here.
type Bootstrap = {
  readonly checkNode: (version: string) => void;
  readonly checkRoom: (folder: string, neededMb: number, statfs: () => { bavail: number; bsize: number }) => void;
  readonly reasonToInstall: (folder: string) => string | undefined;
  readonly fingerprint: (folder: string) => string;
};
const address: string = new URL('../../src/stack/bootstrap.mjs', import.meta.url).href;
const { checkNode, checkRoom, reasonToInstall, fingerprint } = (await import(address)) as Bootstrap;

describe('checkNode', () => {
  test.each(['v20.20.0', 'v20.20.2', 'v20.21.0', 'v22.0.0', 'v24.21.0', 'v100.0.0'])('takes %s', (version) => {
    expect(() => checkNode(version)).not.toThrow();
  });

  test.each(['v20.19.9', 'v20.3.0', 'v18.20.8', 'v9.99.99'])('refuses %s and says what to do', (version) => {
    expect(() => checkNode(version)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`${version} is too old`),
        remedy: expect.stringContaining('newer Node'),
      }),
    );
  });
});

describe('checkRoom', () => {
  const disk = (freeMb: number) => () => ({ bavail: freeMb * 256, bsize: 4096 });

  test('refuses a full disk with the numbers', () => {
    expect(() => checkRoom('/x', 100, disk(99))).toThrow('The disk of /x has 99 MB left, and 100 MB are needed.');
    expect(() => checkRoom('/x', 100, disk(100))).not.toThrow();
  });
});

describe('reasonToInstall', () => {
  const lock = (packages: Record<string, { version?: string; optional?: boolean }>) => JSON.stringify({ packages });
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b-darwin': { version: '1.0.0', optional: true },
  };

  function aClone(installed?: Record<string, { version: string }>): string {
    const folder = aFolder();
    writeFileSync(join(folder, 'package-lock.json'), lock(wanted));
    if (installed === undefined) return folder;
    for (const name of Object.keys(installed)) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), lock(installed));
    return folder;
  }

  test('finds none when everything for this platform is installed', () => {
    expect(reasonToInstall(aClone({ 'node_modules/a': { version: '1.0.0' } }))).toBeUndefined();
  });

  test('names a package of another version, and one that is missing', () => {
    expect(reasonToInstall(aClone({ 'node_modules/a': { version: '1.0.1' } }))).toContain('a is not what');
    const folder = aClone({ 'node_modules/a': { version: '1.0.0' } });
    rmSync(join(folder, 'node_modules/a'), { recursive: true });
    expect(reasonToInstall(folder)).toContain('a is not what');
  });

  test('takes an install that was broken off for none', () => {
    const folder = aClone();
    mkdirSync(join(folder, 'node_modules/a'), { recursive: true });
    expect(reasonToInstall(folder)).toBe('no complete node_modules');
  });
});

describe('fingerprint', () => {
  function aClone(): string {
    const folder = aFolder();
    mkdirSync(join(folder, 'src/domain'), { recursive: true });
    for (const name of ['package-lock.json', 'tsconfig.json', 'src/domain/a.ts', 'src/b.ts']) {
      writeFileSync(join(folder, name), name);
    }
    return folder;
  }

  test('does not depend on the times of the files, nor on where the clone is', () => {
    const folder = aClone();
    utimesSync(join(folder, 'src/b.ts'), 1, 1);
    expect(fingerprint(folder)).toBe(fingerprint(aClone()));
  });

  test.each([
    { name: 'another content', change: (folder: string) => writeFileSync(join(folder, 'src/b.ts'), 'x') },
    { name: 'a new file', change: (folder: string) => writeFileSync(join(folder, 'src/c.ts'), '') },
    { name: 'a file less', change: (folder: string) => rmSync(join(folder, 'src/b.ts')) },
    {
      name: 'a new name',
      change: (folder: string) => renameSync(join(folder, 'src/b.ts'), join(folder, 'src/c.ts')),
    },
    { name: 'other packages', change: (folder: string) => writeFileSync(join(folder, 'package-lock.json'), 'x') },
  ])('changes with $name', ({ change }) => {
    const folder = aClone();
    const before = fingerprint(folder);
    change(folder);
    expect(fingerprint(folder)).not.toBe(before);
  });
});
