import { z } from 'zod';
import { decimal, isMore } from '../../domain/decimal.ts';
import type { Limits } from '../../domain/limits/limits.ts';

// Every scalar of the file arrives as text, so that 10000.10 is read as it is written and never as a float.
const amount = (unit: string) => {
  const allowed = `${unit}, zero or more, such as 0.5`;
  return z
    .string(allowed)
    .regex(/^\d{1,20}(\.\d{1,18})?$/, allowed)
    .transform(decimal);
};

const ageMs = z
  .string('whole milliseconds from 1 to 3600000')
  .regex(/^\d{1,7}$/, 'whole milliseconds from 1 to 3600000')
  .transform(Number)
  .pipe(z.int().min(1, 'whole milliseconds from 1 to 3600000').max(3_600_000, 'whole milliseconds from 1 to 3600000'));

const flag = z.enum(['true', 'false'], 'true or false').transform((text) => text === 'true');

const count = z
  .string('a whole number from 1 to 1000000')
  .regex(/^[1-9]\d{0,6}$/, 'a whole number from 1 to 1000000')
  .transform(Number);

const options = z.strictObject({
  throttle: z.strictObject({ identicalMax: count, windowMs: ageMs }).exactOptional(),
  entryRate: z.strictObject({ entriesMax: count, windowMs: ageMs }).exactOptional(),
  exposureBase: z.enum(['equity', 'exposure'], 'equity or exposure').exactOptional(),
  gammaIncludesEntry: flag.exactOptional(),
  reducingExempt: flag.exactOptional(),
  shortEntriesAllowed: flag.exactOptional(),
  correlationGroups: z.record(z.string(), z.string()).exactOptional(),
});

/** An account's limits as their file has them. Only the cap may be `none`: a limit that is left out is a fault. */
export const limitsFile = z
  .strictObject({
    portfolioDeltaMax: amount('a share of the equity'),
    portfolioGammaMax: amount('a gamma'),
    symbolDeltaMax: amount('a share of the equity'),
    concentrationMax: amount('a share'),
    correlatedExposureMax: amount('a share'),
    totalExposureCap: z.union(
      [z.literal('none').transform(() => null), amount("an amount in the account's currency")],
      {
        error: "an amount in the account's currency, or none",
      },
    ),
    orderNotionalMax: amount("an amount in the account's currency"),
    equityAgeMsMax: ageMs,
    priceAgeMsMax: ageMs,
    options: options.exactOptional(),
  })
  .check(({ value, issues }) => {
    for (const [inner, outer] of contained) {
      const [smaller, larger] = [value[inner], value[outer]] as const;
      if (larger === null || smaller === null || !isMore(smaller, larger)) continue;
      issues.push({ code: 'custom', input: smaller, path: [inner], message: `at most ${outer}, which is ${larger}` });
    }
  });

// A part can't be allowed more than the whole it is a part of: one of the two is a slip.
const contained = [
  ['symbolDeltaMax', 'portfolioDeltaMax'],
  ['concentrationMax', 'correlatedExposureMax'],
  ['orderNotionalMax', 'totalExposureCap'],
] as const satisfies readonly (readonly [keyof Limits, keyof Limits])[];
