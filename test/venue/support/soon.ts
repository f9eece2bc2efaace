import { vi } from 'vitest';

/** Looks until the check holds, for as long as a machine with too much to do may need. */
export const soon = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 15_000, interval: 20 });
