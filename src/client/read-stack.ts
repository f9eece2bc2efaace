import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StackFile, stackFile } from '../contracts/schemas/stack.ts';
import { clientError } from './client-error.ts';

/** Where a stack that was started in a data folder can be reached. */
export type StackAddresses = {
  readonly mode: 'paper' | 'live';
  readonly account: string;
  readonly venue: string;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly uiUrl?: string | undefined };
  readonly api: { readonly url: string; readonly key: string };
};

/**
 * Reads `<dataFolder>/stack.json` and the key file it names.
 *
 * @throws RatchetClientError STACK_NOT_FOUND, STACK_FILE_INVALID
 */
export function readStack(dataFolder: string): StackAddresses {
  const file = join(dataFolder, 'stack.json');
  const { mode, account, venue, temporal, api } = parsedStack(textOf(file), file);
  return { mode, account, venue, temporal, api: { url: api.url, key: textOf(api.keyFile).trim() } };
}

function parsedStack(text: string, file: string): StackFile {
  try {
    return stackFile.parse(JSON.parse(text));
  } catch (error) {
    throw clientError('STACK_FILE_INVALID', { file, problem: String(error) }, error);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw clientError('STACK_NOT_FOUND', { file, problem: String((error as NodeJS.ErrnoException).code) }, error);
  }
}
