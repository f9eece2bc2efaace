/**
 * Crashes on a programmer's error. Inside a workflow a plain Error fails the workflow *task*, not
 * the workflow: the trade waits, visible in the Temporal UI, until a fixed build is deployed.
 */
export function invariant(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new Error(`Invariant: ${rule}`);
}

export function unreachable(value: never): never {
  throw new Error(`Invariant: every case is handled, found ${JSON.stringify(value)}`);
}
