import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a worker runs, as 16 hexadecimal digits: its workflows as they are bundled, and every compiled file beside them. The
 * same sources and packages give the same id. Source maps are left out: they hold paths of the machine that built them.
 *
 * @param folder with `workflow-bundle.js` and the compiled files, `dist` as it is delivered.
 */
export function buildIdOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    const [program = ''] = readFileSync(join(folder, file), 'utf8').split('//# sourceMappingURL');
    hash.update(`${file}\0${program.length}\0`).update(program);
  }
  return hash.digest('hex').slice(0, 16);
}
