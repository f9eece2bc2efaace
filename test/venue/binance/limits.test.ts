import { describe, expect, test } from 'vitest';
import type { Lane } from '../../../src/domain/rate-limit.ts';
import { pauseOf, usedOf } from '../../../src/venue/binance/limits.ts';

const nowMs = 1_795_262_400_000;

type Row = {
  readonly name: string;
  readonly status: number;
  readonly code?: number;
  readonly message?: string;
  readonly retryAfter?: string;
  readonly lane?: Lane;
  readonly expected: { readonly scope: string; readonly forMs: number; readonly isBan?: boolean } | null;
};

describe('a pause', () => {
  test.each<Row>([
    { name: 'a success', status: 200, expected: null },
    { name: 'a refusal', status: 400, code: -2010, expected: null },
    { name: 'a failing server', status: 503, code: -1001, expected: null },
    { name: 'F16: a 429', status: 429, code: -1003, retryAfter: '7', expected: { scope: 'everything', forMs: 7_000 } },
    { name: 'F16: a 429 without a word', status: 429, expected: { scope: 'everything', forMs: 60_000 } },
    { name: '-1003 under another status', status: 400, code: -1003, expected: { scope: 'everything', forMs: 60_000 } },
    {
      name: 'F17: -1015 to an entry',
      status: 429,
      code: -1015,
      retryAfter: '3',
      expected: { scope: 'entries', forMs: 3_000 },
    },
    {
      name: 'F17: -1015 to an exit',
      status: 429,
      code: -1015,
      lane: 'exit',
      expected: { scope: 'placements', forMs: 10_000 },
    },
    {
      name: 'F20: a replacement over the count',
      status: 429,
      code: -2021,
      lane: 'exit',
      expected: { scope: 'placements', forMs: 10_000 },
    },
    { name: 'F20: a replacement that failed otherwise', status: 409, code: -2021, lane: 'exit', expected: null },
    {
      name: 'F18: a 418',
      status: 418,
      retryAfter: '120',
      expected: { scope: 'everything', forMs: 120_000, isBan: true },
    },
    {
      name: 'F18: a 418 that has its end in its text',
      status: 418,
      code: -1003,
      message: `Way too much request weight used; IP banned until ${nowMs + 99_000}.`,
      expected: { scope: 'everything', forMs: 99_000, isBan: true },
    },
    { name: 'F18: a 418 without a word', status: 418, expected: { scope: 'everything', forMs: 120_000, isBan: true } },
    {
      name: 'a 418 for longer than any ban',
      status: 418,
      retryAfter: '99999999',
      expected: { scope: 'everything', forMs: 3 * 86_400_000, isBan: true },
    },
    { name: 'a 429 for no time', status: 429, retryAfter: '0', expected: { scope: 'everything', forMs: 1_000 } },
    {
      name: 'a 429 until a date',
      status: 429,
      retryAfter: 'Sat, 21 Nov 2026 18:00:00 GMT',
      expected: { scope: 'everything', forMs: 60_000 },
    },
    { name: 'F19: a 403', status: 403, expected: { scope: 'everything', forMs: 30_000 } },
    { name: 'F15: -1008, overloaded', status: 503, code: -1008, expected: { scope: 'entries', forMs: 120_000 } },
    {
      name: 'a text about a ban that is none',
      status: 400,
      code: -2010,
      message: 'banned until 1795262500000',
      expected: null,
    },
    { name: 'a text with 1500 in it', status: 400, code: -1121, message: 'order 1500 not found', expected: null },
  ])('$name', ({ status, code, message, retryAfter, lane = 'entry', expected }) => {
    const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
    const pause = pauseOf({ status, headers, code, message }, lane, nowMs);
    if (expected === null) expect(pause).toBeUndefined();
    else {
      const { scope, forMs, isBan = false } = expected;
      expect(pause).toMatchObject({ scope, isBan, untilMs: nowMs + forMs });
    }
  });
});

test("the venue's counts are read from its headers", () => {
  const headers = {
    'x-mbx-used-weight': '20',
    'x-mbx-used-weight-1m': '20',
    'x-mbx-order-count-10s': '3',
    'x-mbx-order-count-1d': '7',
    'x-mbx-order-count-1x': '9',
    'x-mbx-used-weight-5m': 'many',
    'content-type': 'application/json',
  };
  expect(usedOf(headers)).toEqual([
    { kind: 'weight', windowMs: 60_000, count: 20 },
    { kind: 'orders', windowMs: 10_000, count: 3 },
    { kind: 'orders', windowMs: 86_400_000, count: 7 },
  ]);
});
