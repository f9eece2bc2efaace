import { z } from 'zod';
import { nameText, symbolText } from './entry-request.ts';
import { limitsFile } from './limits.ts';
import { actorText, commandIdText, readable, reasonText } from './wire.ts';

const scope = z
  .strictObject({
    kind: z.enum(['all', 'account', 'strategy', 'symbol'], '"all", "account", "strategy" or "symbol"'),
    id: z.string('a text').min(1, 'not empty').max(64, 'at most 64 characters').regex(readable, 'without NUL'),
  })
  .refine(({ kind, id }) => kind !== 'all' || id === '*', {
    path: ['id'],
    error: '"*", because the kind is "all"',
  });

const idForms = { account: nameText('an account'), strategy: nameText('a strategy'), symbol: symbolText };

/**
 * What a halt may be on: a scope that no entry can be in would hold nothing and say that it does. A resume takes any
 * scope, so that a hold that was set on another form can be lifted.
 */
export const haltScope = scope.superRefine(({ kind, id }, { addIssue }) => {
  const issues = kind === 'all' ? [] : (idForms[kind].safeParse(id).error?.issues ?? []);
  for (const { message } of issues) addIssue({ code: 'custom', path: ['id'], message });
});

/** Bodies of what an operator or a bot asks for. `actor` is what the caller says; the key that was used is recorded too. */
export const closeBody = z
  .strictObject({ actor: actorText.exactOptional(), reason: reasonText, commandId: commandIdText })
  .meta({ id: 'Close' });

export const haltBody = z
  .strictObject({
    scope: haltScope.default({ kind: 'all', id: '*' }),
    level: z
      .enum(['entries-blocked', 'frozen', 'flatten'], '"entries-blocked", "frozen" or "flatten"')
      .default('entries-blocked'),
    actor: actorText.exactOptional(),
    reason: reasonText,
    expiresAtMs: z
      .int('epoch milliseconds')
      .min(1_000_000_000_000, 'epoch milliseconds, such as 1795262400000')
      .exactOptional(),
    commandId: commandIdText,
  })
  .meta({ id: 'Halt' });

export const resumeBody = z
  .strictObject({
    scope: scope.default({ kind: 'all', id: '*' }),
    source: z.enum(['operator', 'throttle'], '"operator" or "throttle"').default('operator'),
    /** The hold's version as it was seen; without it, whatever hold of that source is in force. */
    version: z
      .string('the version of the hold, a text')
      .regex(/^\d{1,18}$/, 'the version of the hold')
      .exactOptional(),
    actor: actorText.exactOptional(),
    reason: reasonText,
    commandId: commandIdText,
  })
  .meta({ id: 'Resume' });

export const resolveBody = z
  .strictObject({
    verdict: z.enum(['dead', 'look-again'], '"dead" or "look-again"'),
    actor: actorText.exactOptional(),
    reason: reasonText,
    commandId: commandIdText,
  })
  .meta({ id: 'Resolve' });

export const approvalBody = z
  .strictObject({
    approvalId: z.string('an id: a text').regex(/^[a-z0-9-]{1,64}$/, 'the id of a request'),
    /** Of the request as it was seen: one that has changed since is refused. */
    requestHash: z.string('the hash of the request').regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'),
    actor: actorText.exactOptional(),
    reason: reasonText,
  })
  .meta({ id: 'Approve' });

export const limitsBody = z
  .strictObject({
    account: z
      .string('an account id')
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'an account of this stack')
      .exactOptional(),
    /** All of them, as in the limits file: texts. */
    limits: limitsFile,
    actor: actorText.exactOptional(),
    reason: reasonText,
  })
  .meta({ id: 'ChangeLimits' });

export const workingOrderSchema = z
  .object({
    clientOrderId: z.string(),
    tradeId: z.string(),
    symbol: z.string(),
    side: z.enum(['BUY', 'SELL']),
    leavesQuantity: z.string(),
    status: z.string(),
  })
  .meta({ id: 'WorkingOrder' });

export const listQuery = z.strictObject({
  phase: z.enum(['denied', 'placing', 'working', 'open', 'closing', 'closed', 'unfilled']).exactOptional(),
  live: z.stringbool({ truthy: ['true'], falsy: ['false'] }).exactOptional(),
  account: z.string().max(64).exactOptional(),
  strategy: z.string().max(64).exactOptional(),
  symbol: z.string().max(41).exactOptional(),
  limit: z.coerce.number().pipe(z.int().min(1).max(500)).default(50),
});
