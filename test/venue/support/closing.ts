import { afterEach } from 'vitest';

type Closable = { close(): Promise<void> | void };

/** Keeps what a test opens and closes it after the test, the last one first. */
export function keepUntilTheEnd(): <T extends Closable>(opened: T) => T {
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
