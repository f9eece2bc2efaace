import { z } from 'zod';
import type { ApprovalView, HoldView, SweepView } from '../messages/views.ts';
import { alertSchema } from './alerts.ts';
import { evaluationSchema } from './trade-view.ts';
import { atMs, decimalText, listOf } from './wire.ts';

export const holdSchema = z
  .object({
    holdId: z.string(),
    scope: z.object({ kind: z.enum(['all', 'account', 'strategy', 'symbol']), id: z.string() }),
    source: z.enum(['operator', 'breaker', 'venue', 'reconciliation', 'throttle']),
    level: z.enum(['entries-blocked', 'frozen', 'flatten']),
    version: z.string(),
    actor: z.string(),
    reason: z.string(),
    setAtMs: atMs,
    expiresAtMs: atMs.nullable(),
  })
  .meta({ id: 'Hold' }) satisfies z.ZodType<HoldView>;

export const sweepSchema = z
  .object({
    venue: z.string(),
    left: listOf(z.string()).describe('Orders that the last look could not show to be gone, by client order id.'),
    canceled: z.int(),
    notFlat: listOf(z.string()).describe('Of a flatten: trades that are not flat yet.'),
    looks: z.int(),
    outcome: z.enum(['clear', 'withdrawn']).nullable().describe('Null while it goes on.'),
    nextLookAtMs: atMs,
  })
  .meta({ id: 'Sweep' }) satisfies z.ZodType<SweepView>;

export const approvalSchema = z
  .object({
    approvalId: z.string(),
    kind: z.enum(['resume', 'limits']),
    request: z.record(z.string(), z.unknown()),
    requestHash: z.string().describe('Whoever approves sends it back.'),
    peopleNeeded: z.int(),
    voters: listOf(z.object({ keyId: z.string(), person: z.string(), reason: z.string(), votedAtMs: atMs })),
    requestedAtMs: atMs,
    expiresAtMs: atMs,
    appliedAtMs: atMs.nullable(),
  })
  .meta({ id: 'Approval' }) satisfies z.ZodType<ApprovalView>;

const alert = alertSchema.omit({ alertId: true, endsWith: true });

const portfolio = z
  .object({
    exposure: decimalText.describe('What open positions cost and reservations may, long and short alike.'),
    delta: decimalText.describe('Of all of them, with its sign.'),
    openTrades: z.int().describe('Trades with a position or a reservation.'),
  })
  .describe("What is used, in the account's currency.");

const remaining = z
  .object({
    exposure: decimalText.nullable().describe('What one more order may cost.'),
    delta: decimalText.nullable().describe('What one more order may add to the delta of the portfolio.'),
  })
  .describe(
    "What room the limits leave, in the account's currency; null: it can't be told, and an entry is denied. Halts and " +
      'the circuit breaker are not in it.',
  );

const part = z.object({ ok: z.boolean(), detail: z.string() });

export const statusSchema = z
  .object({
    mode: z.enum(['paper', 'live']),
    account: z.string(),
    venue: z.string(),
    currency: z.string(),
    equity: z.object({ amount: decimalText.nullable(), atMs: atMs.nullable(), fault: z.string().nullable() }),
    balances: listOf(z.object({ asset: z.string(), free: decimalText, locked: decimalText })),
    portfolio,
    remaining,
    brokenLimits: listOf(evaluationSchema).describe(
      'Limits that the book as it stands breaks, or that can not be measured.',
    ),
    parts: z.object({
      database: part,
      temporal: part,
      entryWorkers: part,
      guardWorkers: part,
      watchWorkers: part,
      venueWorkers: part,
    }),
    breaker: z.object({ state: z.enum(['CLOSED', 'OPEN', 'HALF_OPEN']), openedAtMs: atMs.nullable() }),
    holds: listOf(holdSchema),
    trades: z.object({ placing: z.int(), working: z.int(), open: z.int(), closing: z.int() }),
    orders: z.object({ working: z.int(), inDoubt: z.int(), parked: z.int() }),
    alerts: listOf(alert),
    outbox: z.object({ open: z.int(), oldestAgeMs: z.int().nullable() }),
    audit: z.object({ unsealed: z.int(), oldestUnsealedAgeMs: z.int().nullable() }),
    problems: listOf(z.string()).describe('What is wrong, in words. Empty when nothing is.'),
  })
  .meta({ id: 'Status' });
export type StatusView = z.output<typeof statusSchema>;

export const marketSchema = z
  .object({
    symbol: z.string(),
    last: decimalText.nullable().describe('The price of the last trade; null before the first.'),
    tickSize: decimalText,
    stepSize: decimalText,
    quantityMin: decimalText.nullable(),
    notionalMin: decimalText.nullable(),
    pricesEnded: z.boolean().describe("Whether the paper venue's replay has come to its end."),
    remaining: remaining.extend({
      symbolDelta: decimalText.nullable().describe('What one more order may add to the delta in the symbol.'),
    }),
  })
  .meta({ id: 'Market' });
export type MarketView = z.output<typeof marketSchema>;
/** What the venue itself tells of a market. */
export type Market = Omit<MarketView, 'remaining'>;
