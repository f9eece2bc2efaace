import { z } from 'zod';

const address = z.string().min(1);
const process = z.object({
  pid: z.int().positive(),
  /** Where it answers, for those that do. */
  url: address.optional(),
  metricsUrl: address.optional(),
  logFile: z.string().optional(),
});

/**
 * `<data>/stack.json`: what runs where, for the tools that want to find a running stack. A newer version may add
 * fields, so unknown ones are left alone.
 */
export const stackFile = z.looseObject({
  version: z.literal(1),
  mode: z.enum(['paper', 'live']),
  account: z.string(),
  venue: z.string(),
  startedAtMs: z.int(),
  supervisorPid: z.int().positive().optional(),
  temporal: z.object({ address, namespace: z.string(), uiUrl: address.optional() }),
  /** As the role that works in it, and as the one that owns the tables. */
  database: z.object({ url: address, ownerUrl: address.optional() }),
  /** `keyFile` holds a bearer key for this machine's own tools. */
  api: z.object({ url: address, keyFile: z.string() }),
  /** How this machine's own tools reach the venue when nobody else does: a halt must not need anybody. */
  venueAccess: z
    .object({ restUrl: address, streamUrl: address, wsApiUrl: address, keyFile: z.string(), secretFile: z.string() })
    .optional(),
  paper: z.object({ url: address, controlUrl: address }).optional(),
  processes: z.record(z.string(), process).default({}),
});

export type StackFile = z.output<typeof stackFile>;
