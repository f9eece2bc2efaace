import { z } from 'zod';
import type { CorrectionView, DifferenceView, ReconciliationReport } from '../messages/reconciliation.ts';
import { actorText, atMs, commandIdText, listOf, reasonText, word } from './wire.ts';

export const reconcileBody = z
  .strictObject({
    isFullDay: z.boolean('true or false').default(false),
    actor: actorText.exactOptional(),
    commandId: commandIdText,
  })
  .meta({ id: 'Reconcile' });

export const verdictBody = z
  .strictObject({ actor: actorText.exactOptional(), reason: reasonText })
  .meta({ id: 'Verdict' });

const differenceSchema = z
  .object({
    differenceId: z.int(),
    foundAtMs: atMs,
    description: z.string().describe('In words.'),
    difference: z.unknown().describe('The same in fields; `kind` says which.') as unknown as z.ZodType<
      DifferenceView['difference']
    >,
    correctionId: z.string().nullable().describe("What waits for a person's decision; null when nothing does."),
  })
  .meta({ id: 'Difference' }) satisfies z.ZodType<DifferenceView>;

const part = z.string().describe('`read`, or why it could not be read. A part that was not read says nothing.');

export const reportSchema = z
  .object({
    account: z.string(),
    venue: z.string(),
    startedAtMs: atMs,
    finishedAtMs: atMs,
    outcome: word<ReconciliationReport['outcome']>().describe('clean, differences, unavailable or overtaken.'),
    parts: z.object({ orders: part, fills: part, balances: part, positions: part }),
    found: z.int(),
    changed: z.int(),
    gone: z.int(),
    differences: listOf(differenceSchema),
  })
  .meta({ id: 'Reconciliation' }) satisfies z.ZodType<ReconciliationReport>;

export const reconciliationSchema = z
  .object({
    completedAtMs: atMs.nullable().describe('When the last run began that could read everything.'),
    cleanAtMs: atMs.nullable().describe('When the last of those began that found no difference.'),
    lastRun: reportSchema.nullable(),
    differences: listOf(differenceSchema).describe('Those that last.'),
  })
  .meta({ id: 'ReconciliationState' });

export const correctionSchema = z
  .object({
    correctionId: z.string(),
    account: z.string(),
    kind: word<CorrectionView['kind']>().describe('acceptBalance, writeOff, endOrder or acknowledge.'),
    state: word<CorrectionView['state']>().describe('proposed, applied, rejected, expired or superseded.'),
    description: z.string().describe('What differs.'),
    effect: z.string().describe('What its approval does.'),
    proposedAtMs: atMs,
    expiresAtMs: atMs,
    settledAtMs: atMs.nullable(),
    actor: z.string().nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'Correction' }) satisfies z.ZodType<CorrectionView>;
