import { z } from 'zod';
import { actorText, atMs, commandIdText, listOf, reasonText } from './wire.ts';

export const alertSchema = z
  .object({
    alertId: z.int(),
    code: z.string().describe('Of the error catalog.'),
    severity: z.enum(['CRITICAL', 'WARNING', 'INFO']),
    message: z.string(),
    raisedAtMs: atMs,
    endsWith: z.string().nullable().describe('What ends it by itself; null: a person does.'),
  })
  .meta({ id: 'Alert' });

export const alertsSchema = z.object({ alerts: listOf(alertSchema) });

export const resolveAlertBody = z
  .strictObject({ actor: actorText.exactOptional(), reason: reasonText, commandId: commandIdText })
  .meta({ id: 'ResolveAlert' });

export const alertResolvedSchema = z.object({
  alertId: z.int(),
  code: z.string(),
  outcome: z.enum(['resolved', 'already']).describe('`already`: it was resolved before.'),
  resolvedAtMs: atMs,
});

/** An id as it is typed. What is longer than a number holds was never given out. */
export const alertIdText = z.string().regex(/^[1-9]\d{0,14}$/, 'the id of an alert: a whole number from 1');
