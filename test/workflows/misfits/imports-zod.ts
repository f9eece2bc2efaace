import { z } from 'zod';

/** What a workflow must not do: schemas are checked outside, where a fault does not stop the workflow's task. */
export async function misfit(input: unknown): Promise<string> {
  return z.string().parse(input);
}
