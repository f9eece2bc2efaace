import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { SecretSearch } from './evidence.ts';
import type { Row, Stack } from './stack.ts';

/** Files of the data folder that hold secrets on purpose, for their owner alone. */
const ownFiles = /^(secrets\/|stack\.json$)/;

/**
 * Looks for every secret of the stack in all that it has written: the rows of every table, the histories of all
 * workflows, and every file under its data folder but those that keep the secrets.
 */
export async function searchSecrets(stack: Stack): Promise<SecretSearch> {
  const secrets = secretsOf(stack.data);
  const found: string[] = [];
  let places = 0;
  const look = (place: string, text: string | Buffer): void => {
    places += 1;
    for (const [name, secret] of secrets) if (text.includes(secret)) found.push(`${place} (${name})`);
  };
  for (const { name } of await tablesOf(stack)) {
    const [dump] = await stack.sql<Row & { text: string | null }>(
      `select string_agg(row_text, e'\\n') as text from (select t::text as row_text from "${name}" t) rows`,
    );
    look(`table ${name}`, dump?.text ?? '');
  }
  for await (const { workflowId, runId } of stack.temporal.workflow.list()) {
    const history = await stack.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    look(`history ${workflowId}`, historyToJSON(history));
    // Payloads are base64 there: once more as they were written.
    for (const { data } of payloadsOf(history)) look(`payload of ${workflowId}`, Buffer.from(data));
  }
  for (const file of filesUnder(stack.data)) {
    const path = relative(stack.data, file);
    if (!ownFiles.test(path)) look(path, readFileSync(file));
  }
  return { places, found };
}

function secretsOf(data: string): readonly (readonly [string, string])[] {
  const folder = join(data, 'secrets');
  return readdirSync(folder)
    .filter((name) => !name.endsWith('.pub'))
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8').trim();
      // Of a key in PEM, a line of its body: its frame is no secret.
      return [name, text.includes('-----') ? (text.split('\n')[1] ?? text) : text] as const;
    });
}

const tablesOf = ({ sql }: Stack) =>
  sql<Row & { name: string }>("select table_name as name from information_schema.tables where table_schema = 'public'");

type Payload = { readonly data: Uint8Array };

/** Every payload in it, wherever it stands. */
function payloadsOf(value: unknown): readonly Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { data } = value as { data?: unknown };
  const own = data instanceof Uint8Array ? [{ data }] : [];
  return [...own, ...Object.values(value).flatMap(payloadsOf)];
}

/** Sockets and what goes away while it is looked at are no files. */
function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(path);
    return entry.isFile() && statSync(path, { throwIfNoEntry: false }) !== undefined ? [path] : [];
  });
}
