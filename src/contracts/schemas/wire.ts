import { z } from 'zod';
import type { Decimal } from '../../domain/decimal.ts';

// What goes out is ours, so a decimal is described as the text it is and typed as what it was: nothing is parsed twice.
export const decimalText = z
  .string()
  .describe('A decimal number as text.')
  .meta({ examples: ['0.0125'] }) as unknown as z.ZodType<Decimal, Decimal>;

/** One of a closed list of ours that is long and grows: described as the text it is. */
export const word = <Word extends string>() => z.string() as unknown as z.ZodType<Word, Word>;

export const atMs = z.int().describe('Epoch milliseconds.');

/** Json that is passed on as it was stored. */
export const storedJson = z.unknown();

export const listOf = <Schema extends z.ZodType>(schema: Schema) => z.array(schema).readonly();

/** PostgreSQL has no place for a NUL, and JSON none for half a character. */
export const readable = /^[^\0\p{Cs}]*$/u;

const text = (what: string, max: number) =>
  z
    .string(`${what}, a text`)
    .regex(readable, `${what}, without NUL`)
    .trim()
    .min(1, `${what}, not empty`)
    .max(max, `${what}, at most ${max} characters`);

/** Who asks, for the record. */
export const actorText = text('who asks for it', 64);
/** Why, for the record. */
export const reasonText = text('the reason', 500);

/** The same command id again changes nothing and gets the same answer. */
export const commandIdText = z
  .string('a command id: a text')
  .regex(/^[A-Za-z0-9._:-]{1,128}$/, 'a command id: 1 to 128 letters, digits, ".", "_", ":" or "-"')
  .exactOptional();
