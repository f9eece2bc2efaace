import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseEntryRequest } from '../../src/contracts/schemas/entry-request.ts';

const page = readFileSync(new URL('../../docs/connecting-a-bot.md', import.meta.url), 'utf8');
const requests = [...page.matchAll(/```json\n(\{ "tradeId"[\s\S]*?)```/g)]
  .map(([, text = '']) => text)
  .filter((text) => text.includes('"legs"'));

test('docs/connecting-a-bot.md shows a request of one leg and one of several', () => {
  expect(requests.map((text) => JSON.parse(text).legs.length)).toEqual([1, 2]);
});

test.each(requests)('a request that docs/connecting-a-bot.md shows fits the contract: %s', (text) => {
  expect(parseEntryRequest(JSON.parse(text))).toMatchObject({ ok: true });
});
