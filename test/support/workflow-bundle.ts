import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cacheFolder = join(root, 'node_modules', '.cache', 'ratchet-workflows');
const sources = ['workflows', 'src/domain', 'src/contracts/messages', 'package-lock.json'];

/** The product's workflows as a worker loads them. Bundled once for each content of its sources, and kept. */
export const workflowBundle = (): Promise<{ readonly code: string }> => bundleOf(join(root, 'workflows', 'index.ts'));

/**
 * A bundle of other workflows, which may use the product's parts.
 *
 * @throws Error with what the bundler says when it refuses the sources.
 */
export async function bundleOf(workflowsPath: string): Promise<{ readonly code: string }> {
  const file = join(cacheFolder, `${fingerprintWith(workflowsPath)}.js`);
  try {
    return { code: readFileSync(file, 'utf8') };
  } catch {
    const code = await bundle(workflowsPath);
    keep(file, code);
    return { code };
  }
}

async function bundle(workflowsPath: string): Promise<string> {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const logger = { log() {}, trace() {}, debug() {}, info() {}, warn: say, error: say };
  try {
    const { code } = await bundleWorkflowCode({ workflowsPath, logger });
    return code;
  } catch (error) {
    throw new Error(`${workflowsPath} can not be bundled:\n${said.join('\n')}`, { cause: error });
  }
}

function fingerprintWith(workflowsPath: string): string {
  const hash = createHash('sha256').update(workflowsPath).update(readFileSync(workflowsPath));
  for (const file of sources.flatMap(filesUnder)) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 32);
}

function filesUnder(name: string): readonly string[] {
  if (name.endsWith('.json')) return [name];
  const names = readdirSync(join(root, name), { recursive: true, encoding: 'utf8' });
  return names
    .filter((found) => found.endsWith('.ts'))
    .sort()
    .map((found) => join(name, found));
}

// Under its name only once it is whole: another run may be reading.
function keep(file: string, code: string): void {
  mkdirSync(cacheFolder, { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, code);
  renameSync(draft, file);
}
