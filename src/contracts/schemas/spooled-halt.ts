import { z } from 'zod';

/**
 * A halt that was made while the database did not answer, as it waits in `<data>/spool` for a worker to write it into the
 * database. `sweep` is what the venue said meanwhile; absent while that goes on.
 */
export const spooledHalt = z.strictObject({
  version: z.literal(1),
  /** The same halt is imported once, however often it is read. */
  eventId: z.uuid(),
  scope: z.strictObject({ kind: z.enum(['all', 'account', 'strategy', 'symbol']), id: z.string() }),
  level: z.enum(['entries-blocked', 'frozen', 'flatten']),
  actor: z.string(),
  reason: z.string(),
  expiresAtMs: z.int().optional(),
  haltedAtMs: z.int(),
  sweep: z
    .strictObject({
      venue: z.string(),
      canceled: z.array(z.string()).readonly(),
      left: z.array(z.string()).readonly(),
      isClear: z.boolean(),
      endedAtMs: z.int(),
    })
    .optional(),
});
export type SpooledHalt = z.output<typeof spooledHalt>;
