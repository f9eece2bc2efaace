import { appendFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { appendNote, readNewestNotes, readNotes } from '../../src/audit/checkpoint-files.ts';
import { aFolder } from './fixtures.ts';

const monday = Date.UTC(2026, 10, 23, 23, 59, 59, 999);
const tuesday = monday + 1;
const fileOf = (folder: string, day: string): string => join(folder, `checkpoints-${day}.jsonl`);

describe('the checkpoints outside of the database', () => {
  test('are read in the order in which they were written, day by day', async () => {
    const folder = join(aFolder(), 'new');
    for (const [note, atMs] of [
      ['a\n', monday],
      ['b\n', monday],
      ['c — d\n', tuesday],
    ] as const) {
      await appendNote(folder, note, atMs);
    }
    expect(readdirSync(folder)).toEqual(['checkpoints-2026-11-23.jsonl', 'checkpoints-2026-11-24.jsonl', 'folder-id']);
    expect(await readNotes(folder)).toEqual(['a\n', 'b\n', 'c — d\n']);
    expect(await readNewestNotes(folder)).toEqual(['c — d\n']);
  });

  test('are none where nothing was signed', async () => {
    expect(await readNotes(join(aFolder(), 'nowhere'))).toEqual([]);
    expect(await readNewestNotes(aFolder())).toEqual([]);
  });

  test('F64: leave out what a crash cut off, wherever it cut, and go on after it', async () => {
    const line = `${JSON.stringify('second — note\n')}\n`;
    for (let bytes = 0; bytes < Buffer.byteLength(line) - 2; bytes++) {
      const folder = aFolder();
      await appendNote(folder, 'first\n', monday);
      appendFileSync(fileOf(folder, '2026-11-23'), Buffer.from(line).subarray(0, bytes));
      expect(await readNotes(folder)).toEqual(['first\n']);
      await appendNote(folder, 'third\n', monday);
      expect(await readNotes(folder)).toEqual(['first\n', 'third\n']);
    }
  });

  test('take the file before, when the newest has nothing whole in it', async () => {
    const folder = aFolder();
    await appendNote(folder, 'first\n', monday);
    writeFileSync(fileOf(folder, '2026-11-24'), '"cut');
    expect(await readNewestNotes(folder)).toEqual(['first\n']);
  });

  test.each(['garbage', '{"a":1}', '7', '"a" "b"'])('are unreadable with a line %s', async (line) => {
    const folder = aFolder();
    writeFileSync(fileOf(folder, '2026-11-23'), `"a"\n${line}\n"b"\n`);
    await expect(readNotes(folder)).rejects.toMatchObject({
      code: 'AUDIT_CHECKPOINT_UNREADABLE',
      context: { problem: 'line 2 is not a checkpoint' },
    });
  });

  test('are the same folder to all who keep notes there, and another one elsewhere', async () => {
    const [folder, other] = [aFolder(), aFolder()];
    const ids = await Promise.all(['a', 'b', 'c'].map((note) => appendNote(folder, note, monday)));
    expect(new Set(ids).size).toBe(1);
    expect(await appendNote(other, 'a', monday)).not.toBe(ids[0]);
    expect(readdirSync(folder)).toEqual(['checkpoints-2026-11-23.jsonl', 'folder-id']);
  });

  test('are not written where the folder is a file', async () => {
    const file = join(aFolder(), 'file');
    writeFileSync(file, '');
    await expect(appendNote(file, 'a\n', monday)).rejects.toMatchObject({ code: 'AUDIT_CHECKPOINT_NOT_WRITTEN' });
    expect(statSync(file).size).toBe(0);
  });

  test('are unreadable where the folder can not be listed', async () => {
    const file = join(aFolder(), 'file');
    writeFileSync(file, '');
    await expect(readNotes(file)).rejects.toMatchObject({ code: 'AUDIT_CHECKPOINT_UNREADABLE' });
  });
});
