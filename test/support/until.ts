import { setTimeout as delay } from 'node:timers/promises';

const lookEveryMs = 50;

/**
 * Waits for what another process brings about: looks until `look` gives something, and gives that. Whoever is asked may
 * be dead for a while, so a look that fails is a look that found nothing. Fails loudly, with the last fault, when it
 * never comes.
 */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | null | false>,
  withinMs = 60_000,
): Promise<Found> {
  const deadlineMs = Date.now() + withinMs;
  let fault: unknown = 'nothing was found';
  while (Date.now() < deadlineMs) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
      fault = 'nothing was found';
    } catch (error) {
      fault = error;
    }
    await delay(lookEveryMs);
  }
  throw new Error(`never within ${withinMs / 1000} s: ${what} (${String(fault)})`);
}
