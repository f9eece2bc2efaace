import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { executionReportSchema, orderSchema, tradeEventSchema } from '../../src/contracts/schemas/binance.ts';
import { approvalBody, closeBody, haltBody, resolveBody, resumeBody } from '../../src/contracts/schemas/commands.ts';
import { parseEntryRequest } from '../../src/contracts/schemas/entry-request.ts';
import { faultsOf } from '../../src/contracts/schemas/faults.ts';
import { limitsFile } from '../../src/contracts/schemas/limits.ts';
import { isDecimal } from '../../src/domain/decimal.ts';

// What a bug or an enemy sends in the place of a value: it is refused with a reason, and nothing falls over.

/** 100,000 values with `npm run faults`, a tenth of them with `npm test`. */
const numRuns = process.env['FULL_LENGTH'] ? 60_000 : 6_000;
const others = process.env['FULL_LENGTH'] ? 5_000 : 500;

const circular: Record<string, unknown> = {};
circular['self'] = circular;
const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown;

const poison: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -0,
    1e308 * 10,
    -1,
    5e-324,
    Number.MAX_SAFE_INTEGER + 1,
    10n ** 40n,
    Symbol('s'),
    () => 1,
    circular,
    new Date(Number.NaN),
    null,
    undefined,
  ),
  fc.constantFrom('NaN', 'Infinity', '1e400', '-1', '0', '-0', '+1', '0x10', '1_000', '1,5', ' 1', '1\n', '１２', '٣'),
  fc.constantFrom(
    '\0',
    '\ud800',
    '\u202e',
    'a\u0301',
    '\u{1f4a9}',
    '__proto__',
    'constructor',
    "'; drop table trade; --",
  ),
  fc.string({ unit: 'binary', maxLength: 600 }),
  fc.stringMatching(/^-?\d{40}(\.\d{40})?$/),
  fc.double(),
  fc.bigInt(),
  fc
    .constantFrom('{"__proto__":{"isAdmin":true}}', '{"constructor":{"prototype":{"isAdmin":true}}}')
    .map((text) => JSON.parse(text)),
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withMap: true, withSparseArray: true }),
);

/** The value with poison at one of its places, or beside them; the poison's own place included. */
function poisoned(sound: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const paths = pathsOf(sound);
  const inside = fc.tuple(fc.constantFrom(...paths), poison).map(([path, value]) => withAt(sound, path, value));
  const beside = fc
    .tuple(fc.constantFrom('__proto__', 'constructor', 'toString', 'extra', ''), poison)
    .map(([name, value]) => {
      const copy = structuredClone(sound) as Record<string, unknown>;
      Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
      return copy;
    });
  return fc.oneof({ weight: 8, arbitrary: inside }, { weight: 2, arbitrary: beside }, { weight: 1, arbitrary: poison });
}

function pathsOf(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsOf(inner).map((path) => [key, ...path])]);
}

function withAt(sound: object, path: readonly string[], value: unknown): unknown {
  const copy = structuredClone(sound) as Record<string, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) ?? ''] = value;
  return copy;
}

const hasOwnProto = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasOwnProto));

const anEntry = {
  tradeId: 'poison-1',
  account: 'main',
  strategy: 'ma-cross',
  venue: 'paper',
  legs: [{ symbol: 'BTC/USDT', side: 'BUY', quantity: '1', unitDelta: '1' }],
  entry: { type: 'LIMIT', price: '100', timeInForce: 'GTC', expireAfterMs: 1_000, maxSlippageBps: 10 },
  exit: {
    stopLoss: { price: '90' },
    takeProfit: { price: '110' },
    timeStopMs: 1_000,
    trailingStop: { by: 'percent', distance: '1', activation: { profitPercent: '2' }, trigger: 'last' },
  },
  requestedAtMs: 1_795_262_400_000,
  validForMs: 10_000,
  reason: 'because',
  metadata: { signal: 'x' },
};

describe('F59: poison in a request to enter', () => {
  test('is refused with field, value and what is allowed, or is harmless', { timeout: 300_000 }, () => {
    expect(parseEntryRequest(anEntry)).toMatchObject({ ok: true });
    fc.assert(
      fc.property(poisoned(anEntry), (value) => {
        const parsed = parseEntryRequest(value);
        if (parsed.ok) expectHarmless(parsed.request);
        else expectFaults(parsed.faults);
      }),
      { numRuns },
    );
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
  });

  test.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    '-1',
    '1e400',
    'NaN',
    '1'.repeat(40),
    `0.${'1'.repeat(40)}`,
    '１',
    1,
    null,
    '0',
    10n,
    deep,
    circular,
  ])('a quantity of that kind is refused by its name', (quantity) => {
    const legs = [{ ...anEntry.legs[0], quantity }];
    expect(parseEntryRequest({ ...anEntry, legs })).toMatchObject({
      ok: false,
      faults: [{ field: 'legs[0].quantity', allowed: expect.stringContaining('a positive decimal') }],
    });
  });

  test('a key __proto__ is refused wherever it stands, and changes no prototype', () => {
    const texts = [
      JSON.stringify(anEntry).replace('{', '{"__proto__":{"isAdmin":true},'),
      JSON.stringify(anEntry).replace('"metadata":{', '"metadata":{"__proto__":"x",'),
      JSON.stringify(anEntry).replace('"legs":[{', '"legs":[{"__proto__":{"quantity":"9"},'),
    ];
    for (const text of texts) expect(parseEntryRequest(JSON.parse(text))).toMatchObject({ ok: false });
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
  });
});

function expectHarmless(request: object): void {
  const { legs, entry } = request as typeof anEntry;
  for (const text of [...legs.map(({ quantity }) => quantity), ...(entry.type === 'LIMIT' ? [entry.price] : [])]) {
    expect(isDecimal(text) && text.length <= 39 && !text.startsWith('-') && /[1-9]/.test(text)).toBe(true);
  }
  expect(hasOwnProto(request)).toBe(false);
  const stored = JSON.stringify(request);
  expect(stored.length).toBeLessThan(64 * 1024);
  expect(stored).not.toMatch(/\\u0000|\\ud[89a-f]/);
}

function expectFaults(faults: ReturnType<typeof faultsOf>): void {
  expect(faults.length).toBeGreaterThan(0);
  for (const { field, value, allowed } of faults) {
    expect([typeof field, typeof value, typeof allowed]).toEqual(['string', 'string', 'string']);
    expect(value.length).toBeLessThanOrEqual(80);
  }
}

const commands: readonly { name: string; schema: z.ZodType; sound: Readonly<Record<string, unknown>> }[] = [
  { name: 'a close', schema: closeBody, sound: { actor: 'ana', reason: 'x', commandId: 'c' } },
  {
    name: 'a halt',
    schema: haltBody,
    sound: {
      scope: { kind: 'all', id: '*' },
      level: 'frozen',
      actor: 'ana',
      reason: 'x',
      expiresAtMs: 1_795_262_400_000,
    },
  },
  { name: 'a resume', schema: resumeBody, sound: { source: 'operator', version: '1', reason: 'x', commandId: 'c' } },
  { name: 'a resolution', schema: resolveBody, sound: { verdict: 'dead', actor: 'ana', reason: 'x' } },
  { name: 'an approval', schema: approvalBody, sound: { approvalId: 'a', reason: 'x' } },
  { name: 'limits', schema: limitsFile, sound: { orderNotionalMax: '1', totalExposureCap: 'none' } },
];

describe('F59: poison in a command', () => {
  test.each(commands)('$name is refused with a reason, or is harmless', { timeout: 120_000 }, ({ schema, sound }) => {
    fc.assert(
      fc.property(poisoned(sound), (value) => {
        const parsed = schema.safeParse(value);
        if (!parsed.success) expectFaults(faultsOf(parsed.error, value));
        else expect(hasOwnProto(parsed.data)).toBe(false);
      }),
      { numRuns: others },
    );
  });
});

const order = { symbol: 'BTCUSDT', orderId: 1, clientOrderId: 'a', side: 'BUY', status: 'NEW' };
const quantities = { origQty: '1', executedQty: '0', cummulativeQuoteQty: '0' };
const trade = { e: 'trade', s: 'BTCUSDT', t: 1, p: '100', q: '1', T: 1 };
const report = {
  ...{ e: 'executionReport', s: 'BTCUSDT', c: 'a', C: '', S: 'BUY', i: 1, q: '1', x: 'TRADE', X: 'FILLED' },
  ...{ z: '1', Z: '100', l: '1', L: '100', Y: '100', n: '0', N: null, t: 1, T: 1, m: false },
};

describe('F59: poison from the venue', () => {
  test.each<{ name: string; schema: z.ZodType; sound: Readonly<Record<string, unknown>>; amounts: readonly string[] }>([
    { name: 'an order', schema: orderSchema, sound: { ...order, ...quantities }, amounts: Object.keys(quantities) },
    { name: 'a price', schema: tradeEventSchema, sound: trade, amounts: ['p', 'q'] },
    { name: 'a fill', schema: executionReportSchema, sound: report, amounts: ['q', 'z', 'Z', 'l', 'L', 'Y', 'n'] },
  ])('$name does not fit, or its amounts are decimals', { timeout: 120_000 }, ({ schema, sound, amounts }) => {
    expect(schema.safeParse(sound).success).toBe(true);
    fc.assert(
      fc.property(poisoned(sound), (value) => {
        const { data, success } = schema.safeParse(value);
        if (success)
          for (const name of amounts) expect(isDecimal((data as Record<string, string>)[name] ?? '')).toBe(true);
      }),
      { numRuns: others },
    );
  });
});
