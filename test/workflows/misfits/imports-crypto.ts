import { randomUUID } from 'node:crypto';

/** What a workflow must not do: a replay would get another id. */
export async function misfit(): Promise<string> {
  return randomUUID();
}
