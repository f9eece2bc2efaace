import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseEntryRequest } from '../../src/contracts/schemas/entry-request.ts';

test('the request that docs/connecting-a-bot.md shows fits the contract', () => {
  const page = readFileSync(new URL('../../docs/connecting-a-bot.md', import.meta.url), 'utf8');
  const [, request = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  expect(parseEntryRequest(JSON.parse(request))).toMatchObject({ ok: true });
});
