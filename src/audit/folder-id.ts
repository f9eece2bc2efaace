import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RatchetError } from '../domain/errors.ts';

const fileIn = (folder: string): string => join(folder, 'folder-id');

/**
 * What the database calls this folder of checkpoints, so that it can be asked for what it has confirmed: each machine has
 * its own, and a new one has promised nothing yet. Undefined as long as nothing was kept there.
 */
export function findFolderId(folder: string): string | undefined {
  try {
    return readFileSync(fileIn(folder), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new RatchetError('AUDIT_CHECKPOINT_UNREADABLE', { file: fileIn(folder), problem: String(error) });
  }
}

/** The same, made where there is none yet. The folder is there. Fails as the disk does. */
export const folderIdOf = (folder: string): string => findFolderId(folder) ?? makeFolderId(folder);

function makeFolderId(folder: string): string {
  const draft = join(folder, `folder-id.${process.pid}.tmp`);
  try {
    writeFileSync(draft, `${randomUUID()}\n`, { flush: true });
    // A link never replaces what another process has made meanwhile, and shows a whole file or none.
    linkSync(draft, fileIn(folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return findFolderId(folder) ?? '';
}
