import { setTimeout as delay } from 'node:timers/promises';

/** Waits until something holds that another process brings about; fails loudly when it never does. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`never: ${what}`);
    await delay(20);
  }
}
