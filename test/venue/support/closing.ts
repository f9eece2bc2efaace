import { afterEach } from 'vitest';

type Closable = { close(): Promise<void> | void };

/** Hands back what it is given, and closes it after the test. */
export type Keep = <T extends Closable>(opened: T) => T;

/** Keeps what a test opens and closes it after the test, the last one first. */
export function keepUntilTheEnd(): Keep {
  let kept: Closable[] = [];
  afterEach(async () => {
    for (const each of kept.reverse()) await each.close();
    kept = [];
  });
  return (opened) => {
    kept.push(opened);
    return opened;
  };
}
