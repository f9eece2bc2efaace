import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLog } from '../../src/stack/child-log.ts';
import { aFolder } from './a-folder.ts';

describe('openLog', () => {
  test('keeps what earlier runs have said, and tells only the end of this one', () => {
    const file = join(aFolder(), 'a.log');
    const first = openLog(file);
    first.write('from the first run');
    first.close();
    const second = openLog(file);
    for (let i = 1; i <= 30; i++) second.write(`line ${i}`);
    expect(second.tail()).toBe(Array.from({ length: 25 }, (_, i) => `line ${i + 6}`).join('\n'));
    expect(readFileSync(file, 'utf8')).toContain('from the first run');
    second.close();
  });

  test('tells of a line of JSON what it says to people', () => {
    const log = openLog(join(aFolder(), 'a.log'));
    for (const line of ['{"level":"error","msg":"no limits"}', '{"a":1}', '{broken', 'plain']) log.write(line);
    expect(log.tail()).toBe('no limits\n{"a":1}\n{broken\nplain');
    log.close();
  });

  test('puts a log aside that has become too long', () => {
    const file = join(aFolder(), 'a.log');
    writeFileSync(file, 'old');
    truncateSync(file, 21 * 1024 * 1024);
    const log = openLog(file);
    log.write('new');
    expect(readFileSync(file, 'utf8')).toBe('new\n');
    expect(log.tail()).toBe('new');
    expect(statSync(`${file}.1`).size).toBe(21 * 1024 * 1024);
    log.close();
  });

  test('ignores what is said after its end', () => {
    const file = join(aFolder(), 'a.log');
    const log = openLog(file);
    log.close();
    expect(() => log.write('late')).not.toThrow();
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  test.runIf(existsSync('/dev/full'))('goes on when the disk is full', () => {
    const log = openLog('/dev/full');
    expect(() => log.write('lost')).not.toThrow();
    log.close();
  });
});
