import { z } from 'zod';
import { type Decimal, decimal, isLess } from '../../domain/decimal.ts';
import type { EntryRequest } from '../messages/entry-request.ts';
import type { Fault } from './faults.ts';
import { faultsOf } from './faults.ts';
import { readable } from './wire.ts';

const positive = z
  .string('a positive decimal as text, such as "0.015"')
  .regex(
    /^(?=.*[1-9])\d{1,20}(\.\d{1,18})?$/,
    'a positive decimal as text, such as "0.015" (at most 20 digits and 18 decimals)',
  )
  .transform(decimal);

const signed = z
  .string('a decimal as text, such as "1"')
  .regex(/^-?\d{1,20}(\.\d{1,18})?$/, 'a decimal as text, such as "1"')
  .transform(decimal);

/** Of a trade, account, strategy or venue. */
export const nameText = (what: string) =>
  z
    .string(`${what}: 1 to 64 letters, digits, ".", "_" or "-"`)
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      `${what}: 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit`,
    );

const durationMs = (from: number, to: number) =>
  z
    .int(`whole milliseconds from ${from} to ${to}`)
    .min(from, `whole milliseconds from ${from} to ${to}`)
    .max(to, `whole milliseconds from ${from} to ${to}`);

const dayMs = 86_400_000;
const hundred = decimal('100');
const slippageBps = z
  .int('whole basis points from 0 to 5000')
  .min(0, 'whole basis points from 0 to 5000')
  .max(5000, 'whole basis points from 0 to 5000');

export const symbolText = z
  .string('a symbol as BASE/QUOTE, such as "BTC/USDT"')
  .regex(/^[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}$/, 'a symbol as BASE/QUOTE in capitals, such as "BTC/USDT"');

const leg = z.strictObject({
  symbol: symbolText,
  side: z.enum(['BUY', 'SELL'], '"BUY" or "SELL"'),
  quantity: positive,
  unitDelta: signed.default(decimal('1')),
  price: positive.optional(),
});

const entryTerms = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('MARKET'), maxSlippageBps: slippageBps.optional() }),
    z.strictObject({
      type: z.literal('LIMIT'),
      price: positive,
      timeInForce: z.enum(['GTC', 'IOC', 'FOK'], '"GTC", "IOC" or "FOK"').default('GTC'),
      expireAfterMs: durationMs(100, 30 * dayMs).optional(),
      maxSlippageBps: slippageBps.optional(),
    }),
  ],
  'an object whose type is "MARKET" or "LIMIT"',
);

const trailingTerms = z.strictObject({
  by: z.enum(['percent', 'absolute', 'ticks'], '"percent", "absolute" or "ticks"'),
  distance: positive,
  activation: z
    .union(
      [z.strictObject({ price: positive }), z.strictObject({ profitPercent: positive })],
      'an object with price or with profitPercent',
    )
    .optional(),
  trigger: z.literal('last', '"last"').default('last'),
});

const wholeNumber = (from: number, to: number, what: string) =>
  z
    .int(`whole ${what} from ${from} to ${to}`)
    .min(from, `whole ${what} from ${from} to ${to}`)
    .max(to, `whole ${what} from ${from} to ${to}`);

const protectiveStopTerms = z.strictObject(
  {
    at: z.literal('venue', '"venue"').default('venue'),
    limitOffsetBps: wholeNumber(0, 5000, 'basis points').default(50),
    moveStepBps: wholeNumber(1, 5000, 'basis points').default(20),
    moveIntervalMs: durationMs(1_000, dayMs).default(60_000),
  },
  'an object, such as { "at": "venue" }',
);

const exitTerms = z
  .strictObject(
    {
      stopLoss: z.strictObject({ price: positive }).optional(),
      takeProfit: z.strictObject({ price: positive }).optional(),
      timeStopMs: durationMs(100, 366 * dayMs).optional(),
      trailingStop: trailingTerms.optional(),
      protectiveStop: protectiveStopTerms.optional(),
    },
    'an object with stopLoss, takeProfit, timeStopMs or trailingStop',
  )
  .refine(({ protectiveStop: _, ...rules }) => Object.values(rules).some((rule) => rule !== undefined), {
    error: 'at least one of stopLoss, takeProfit, timeStopMs, trailingStop: no position is without an end',
  });

const legsMax = 4;

const trade = {
  legs: z
    .array(leg, `a list of 1 to ${legsMax} legs`)
    .min(1, `1 to ${legsMax} legs, not 0`)
    .max(legsMax, { error: ({ input }) => `1 to ${legsMax} legs, not ${(input as readonly unknown[]).length}` }),
  entry: entryTerms,
  exit: exitTerms,
};

const validForMs = durationMs(100, 10 * 60_000).default(10_000);

/** The public contract of an entry. Unknown fields are faults; every fault is named, not only the first. */
export const entryRequestSchema = z
  .strictObject({
    tradeId: nameText('a trade id'),
    account: nameText('an account').default('main'),
    strategy: nameText('a strategy'),
    venue: nameText('a venue').default('paper'),
    ...trade,
    requestedAtMs: z.int('epoch milliseconds').min(1_000_000_000_000, 'epoch milliseconds, such as 1795262400000'),
    validForMs,
    reason: z.string('a text').max(500, 'at most 500 characters').regex(readable, 'a text without NUL').optional(),
    metadata: z
      .record(
        z.string().max(64, 'names of at most 64 characters').regex(readable, 'names without NUL'),
        z.string('texts').max(256, 'texts of at most 256 characters').regex(readable, 'texts without NUL'),
        'an object of texts',
      )
      .refine((entries) => Object.keys(entries).length <= 20, 'at most 20 entries')
      .optional(),
  })
  .superRefine(partsFit)
  .meta({ id: 'EntryRequest' });

/** The request, or every fault in it. Nothing in `value` is trusted. */
export function parseEntryRequest(
  value: unknown,
): { readonly ok: true; readonly request: EntryRequest } | { readonly ok: false; readonly faults: readonly Fault[] } {
  const parsed = entryRequestSchema.safeParse(value);
  const overlooked = prototypesIn(value);
  if (parsed.success && overlooked.length === 0) return { ok: true, request: parsed.data as EntryRequest };
  // Whether its parts fit each other is asked only of a request that is sound otherwise: ask it here of them alone.
  const parts = z.object({ ...trade, validForMs: validForMs.catch(10_000) });
  const misfits = parts.superRefine(partsFit).safeParse(value).error?.issues ?? [];
  const found = [...(parsed.error?.issues ?? []), ...overlooked];
  const known = new Set(found.map(({ path }) => path.join('.')));
  const issues = [...found, ...misfits.filter(({ path }) => !known.has(path.join('.')))];
  return { ok: false, faults: faultsOf(new z.ZodError(issues), value) };
}

type Unrecognized = Extract<z.core.$ZodIssue, { code: 'unrecognized_keys' }>;

/** Fields named `__proto__`, which zod passes over in silence. Deeper than a request goes nothing is read. */
function prototypesIn(value: unknown, path: readonly string[] = []): readonly Unrecognized[] {
  if (typeof value !== 'object' || value === null || path.length > 5) return [];
  const own: readonly Unrecognized[] = Object.hasOwn(value, '__proto__')
    ? [{ code: 'unrecognized_keys', keys: ['__proto__'], path: [...path], input: {}, message: 'no such field' }]
    : [];
  return [...own, ...Object.entries(value).flatMap(([name, inner]) => prototypesIn(inner, [...path, name]))];
}

type Parts = {
  legs: readonly z.output<typeof leg>[];
  entry: z.output<typeof entryTerms>;
  exit: z.output<typeof exitTerms>;
  validForMs: number;
};
type Refuse = (path: readonly (string | number)[], message: string) => void;

function partsFit(parts: Parts, context: z.RefinementCtx): void {
  const refuse: Refuse = (path, message) => context.addIssue({ code: 'custom', path: [...path], message });
  exitFitsEntry(parts, refuse);
  legsFitEntry(parts, refuse);
  if (parts.legs.length > 1) legsFitEachOther(parts, refuse);
  protectionFits(parts, refuse);
}

// What is held at the venue is the local stop's price, and that is one of the first leg alone.
function protectionFits({ legs, exit }: Parts, refuse: Refuse): void {
  if (exit.protectiveStop === undefined) return;
  if (exit.stopLoss === undefined && exit.trailingStop === undefined) {
    refuse(['exit', 'protectiveStop'], 'stopLoss or trailingStop beside it: its price is theirs');
  }
  if (legs.length > 1) refuse(['exit', 'protectiveStop'], 'a trade of one leg: the others would be left without one');
}

// A stop on the wrong side of a limit price would fire on the first tick, or never.
function exitFitsEntry({ legs, entry, exit }: Parts, refuse: Refuse): void {
  const isLong = legs[0]?.side !== 'SELL';
  if (exit.trailingStop?.by === 'percent' && !isLess(exit.trailingStop.distance, hundred)) {
    refuse(['exit', 'trailingStop', 'distance'], 'less than 100 percent');
  }
  if (exit.trailingStop?.by === 'ticks' && exit.trailingStop.distance.includes('.')) {
    refuse(['exit', 'trailingStop', 'distance'], 'a whole number of ticks');
  }
  if (entry.type !== 'LIMIT') return;
  const isBelow = (price: Decimal) => isLess(price, entry.price);
  if (exit.stopLoss && isBelow(exit.stopLoss.price) !== isLong) {
    refuse(['exit', 'stopLoss', 'price'], `${isLong ? 'below' : 'above'} the entry price ${entry.price}`);
  }
  if (exit.takeProfit && isBelow(exit.takeProfit.price) === isLong) {
    refuse(['exit', 'takeProfit', 'price'], `${isLong ? 'above' : 'below'} the entry price ${entry.price}`);
  }
}

/** Each leg has exactly one limit price where the entry has any: the first one has the entry's. */
function legsFitEntry({ legs, entry }: Parts, refuse: Refuse): void {
  for (const [place, { price }] of legs.entries()) {
    const mustHave = entry.type === 'LIMIT' && place > 0;
    if (mustHave && price === undefined) refuse(['legs', place, 'price'], 'the limit price of this leg');
    if (mustHave || price === undefined) continue;
    refuse(
      ['legs', place, 'price'],
      place === 0 ? "none: the first leg's is entry.price" : 'none: the entry is MARKET',
    );
  }
}

function legsFitEachOther({ legs, entry, exit, validForMs }: Parts, refuse: Refuse): void {
  const symbols = legs.map(({ symbol }) => symbol);
  for (const [place, symbol] of symbols.entries()) {
    if (symbols.indexOf(symbol) < place) refuse(['legs', place, 'symbol'], 'another symbol than the legs before it');
  }
  if (exit.trailingStop?.activation && 'profitPercent' in exit.trailingStop.activation) {
    refuse(['exit', 'trailingStop', 'activation'], 'a price: the profit of several legs is not that of the first');
  }
  if (entry.type !== 'LIMIT' || entry.timeInForce !== 'GTC') return;
  // A leg may not wait for ever while others are held without it, and the last one has to be sent in time.
  const windowMs = Math.floor(validForMs / legs.length);
  if (entry.expireAfterMs === undefined || entry.expireAfterMs > windowMs) {
    refuse(['entry', 'expireAfterMs'], `at most ${windowMs}, so that every leg is sent within validForMs`);
  }
}
