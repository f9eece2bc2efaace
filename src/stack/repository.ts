import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the clone: the nearest one above this file that has the lock file, from `src/` as from `dist/`. */
export function repositoryRoot(from = fileURLToPath(import.meta.url)): string {
  const folder = dirname(from);
  if (existsSync(join(folder, 'package-lock.json'))) return folder;
  if (folder === from) throw new Error('no package-lock.json above the stack: start it from a clone');
  return repositoryRoot(folder);
}
