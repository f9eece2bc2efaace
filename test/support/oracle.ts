import type { Evidence } from './evidence.ts';
import { I6 } from './oracle/audit.ts';
import type { Check, Verdict } from './oracle/check.ts';
import { I3 } from './oracle/exposure.ts';
import { I8, I9, I10, I11 } from './oracle/halts.ts';
import { I4, I20 } from './oracle/lifecycles.ts';
import { I13, I16 } from './oracle/money.ts';
import { I1, I2, I7, I12 } from './oracle/orders.ts';
import { I14, I15 } from './oracle/prices.ts';
import { I5 } from './oracle/records.ts';
import { I17, I18, I19 } from './oracle/runs.ts';

/**
 * The twenty invariants, by name. Nothing of the product is used to judge them: only what the venue's ledger, the
 * database and Temporal say.
 */
export const invariants = {
  ...{ I1, I2, I3, I4, I5, I6, I7, I8, I9, I10 },
  ...{ I11, I12, I13, I14, I15, I16, I17, I18, I19, I20 },
} as const satisfies Readonly<Record<string, Check>>;

export type InvariantName = keyof typeof invariants;

/** How each invariant stands, and how much there was to judge of it: n = 0 says nothing. */
export const examine = (evidence: Evidence): Readonly<Record<InvariantName, Verdict>> =>
  Object.fromEntries(Object.entries(invariants).map(([name, check]) => [name, check(evidence)])) as Record<
    InvariantName,
    Verdict
  >;

/** Every broken promise, with its name; none is what a test expects. */
export const judge = (evidence: Evidence): readonly string[] =>
  Object.entries(examine(evidence)).flatMap(([name, { violations }]) => violations.map((fault) => `${name}: ${fault}`));
