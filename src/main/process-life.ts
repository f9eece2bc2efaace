import { writeSync } from 'node:fs';
import { RatchetError } from '../domain/errors.ts';
import { createScrubber } from '../observability/scrubber.ts';

// Before the configuration is read no secret is known by its value: those with a name, and passwords in addresses.
const scrub = createScrubber([]);

/** Says on standard output that this process is ready, as one line of JSON for whoever started it. */
export function announceReady(facts: Readonly<Record<string, unknown>> = {}): void {
  writeSync(1, `${JSON.stringify({ ready: true, ...facts })}\n`);
}

/**
 * Resolves once somebody wants this process to end: SIGTERM, SIGINT, or, under `--exit-with-stdin`, the end of standard
 * input, which is how a child notices that its supervisor is gone.
 */
export function endRequested(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
    if (!process.argv.includes('--exit-with-stdin')) return;
    process.stdin.resume();
    process.stdin.once('end', () => resolve('standard input ended'));
    process.stdin.once('error', () => resolve('standard input failed'));
  });
}

/** What nobody caught ends this process: an error of the catalog in its own words, a defect with its stack. */
export function endWithReason(): void {
  process.on('uncaughtException', (error) => {
    writeSync(2, scrub(`${error instanceof RatchetError ? error.message : (error.stack ?? error)}\n`));
    process.exit(1);
  });
}
