import { afterEach, expect, test, vi } from 'vitest';
import { main } from '../../src/stack/main.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('a start that would bring another venue than the one that is named is refused', async () => {
  vi.stubEnv('RATCHET_VENUE', 'binance');
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  expect(await main([])).toBe(2);
  expect(said.join('')).toMatch(
    /RATCHET_VENUE is binance, and this start brings its own venue, paper\n\s+To fix: unset/,
  );
});
