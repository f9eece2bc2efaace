import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import type { ControlName, LimitEvaluation } from '../../domain/limits/limit.ts';
import type { EntryDecision } from '../messages/decision.ts';
import type { EntryRequest } from '../messages/entry-request.ts';
import type { PositionClosed } from '../messages/messages.ts';
import { atMs, decimalText, listOf, storedJson, word } from './wire.ts';

const side = z.enum(['BUY', 'SELL']);
const positionSide = z.enum(['long', 'short']);
const guardKind = z.enum(['stopLoss', 'takeProfit', 'trailingStop']);
const exitReason = z.enum([
  'stopLoss',
  'takeProfit',
  'trailingStop',
  'protectiveStop',
  'timeStop',
  'legFailed',
  'operator',
  'bot',
  'flatten',
]);
const orderStatus = z.enum([
  'pendingNew',
  'new',
  'partiallyFilled',
  'filled',
  'canceled',
  'rejected',
  'expired',
  'denied',
  'parked',
]);

export const tradePhase = z
  .enum(['denied', 'placing', 'working', 'open', 'closing', 'closed', 'unfilled'])
  .describe('denied, unfilled and closed are final.');
export type TradePhase = z.output<typeof tradePhase>;

export const evaluationSchema = z
  .object({
    control: word<ControlName>(),
    code: word<ErrorCode>(),
    scope: z.string().describe('What was measured: the account, the request, a symbol or a correlation group.'),
    current: decimalText.nullable(),
    wouldBe: decimalText.nullable(),
    limit: decimalText.nullable(),
    allowed: z.boolean(),
    note: z.string().exactOptional(),
  })
  .meta({ id: 'Evaluation' }) satisfies z.ZodType<LimitEvaluation>;

const decisionPrice = z.object({ last: decimalText, venueTradeId: z.string(), ageMs: z.int() });

export const decisionSchema = z
  .object({
    tradeId: z.string(),
    outcome: z.enum(['approved', 'denied']),
    reasons: listOf(
      z.object({
        code: z.string(),
        message: z.string(),
        remedy: z.string(),
        context: z.record(z.string(), z.string()),
      }),
    ).describe('Every reason of a denial, not only the first.'),
    evaluations: listOf(evaluationSchema).describe('Every control that was evaluated, passed or not.'),
    price: decisionPrice.exactOptional().describe('Of the first leg, when it was decided.'),
    otherPrices: listOf(decisionPrice.nullable()).exactOptional().describe('Those of the legs after the first.'),
    decidedAtMs: atMs,
  })
  .meta({ id: 'Decision' }) satisfies z.ZodType<EntryDecision>;

const request = z.unknown().meta({ description: 'The request, as in POST /v1/trades.' }) as z.ZodType<
  EntryRequest,
  EntryRequest
>;

/** What a bot needs to know that the decision it got is on what it sent. */
export const storedDecisionSchema = z
  .object({ tradeId: z.string(), request, decision: decisionSchema })
  .meta({ id: 'StoredDecision' });
export type StoredDecision = z.output<typeof storedDecisionSchema>;

export const tradeSummarySchema = z
  .object({
    tradeId: z.string(),
    account: z.string(),
    strategy: z.string(),
    venue: z.string(),
    symbol: z.string().describe('Of the first leg.'),
    side,
    otherSymbols: listOf(z.string()).describe('Those of the legs after the first.'),
    phase: tradePhase,
    decidedAtMs: atMs,
    openedAtMs: atMs.nullable(),
    closedAtMs: atMs.nullable(),
    exitReason: exitReason.nullable(),
    pnl: decimalText.nullable().describe('After fees, of all legs; null until the trade is closed.'),
    pnlAsset: z.string().nullable(),
  })
  .meta({ id: 'TradeSummary' });
export type TradeSummary = z.output<typeof tradeSummarySchema>;

const fill = z.object({
  venueTradeId: z.string(),
  quantity: decimalText,
  price: decimalText,
  quoteQuantity: decimalText,
  fee: decimalText,
  feeAsset: z.string(),
  isMaker: z.boolean(),
  transactedAtMs: atMs,
});

const order = z
  .object({
    clientOrderId: z.string(),
    venueOrderId: z.string().nullable(),
    leg: z.int(),
    purpose: z.enum(['entry', 'exit', 'stop']),
    generation: z.int(),
    side,
    orderType: z.enum(['MARKET', 'LIMIT', 'STOP_LIMIT']),
    timeInForce: z.enum(['GTC', 'IOC', 'FOK']).nullable(),
    quantity: decimalText,
    limitPrice: decimalText.nullable(),
    stopPrice: decimalText.nullable().describe('What must be traded before a stop order works; null of any other.'),
    status: orderStatus,
    inDoubt: z.boolean().describe('Some send has no definite answer yet.'),
    filledQuantity: decimalText,
    filledQuote: decimalText,
    reasonCode: z.string().nullable(),
    reason: z.string().nullable(),
    createdAtMs: atMs,
    updatedAtMs: atMs,
    fills: listOf(fill),
  })
  .meta({ id: 'Order' });
export type OrderSummary = z.output<typeof order>;

const position = z.object({
  leg: z.int(),
  symbol: z.string(),
  side: positionSide,
  entryQuantity: decimalText,
  entryQuote: decimalText,
  exitQuantity: decimalText,
  exitQuote: decimalText,
  baseFee: decimalText,
  quoteFee: decimalText,
  writtenOff: decimalText.describe(
    'What people have found to be gone from the venue: worth nothing, not there to sell.',
  ),
  isOpen: z.boolean(),
  unrealizedPnl: z
    .object({
      amount: decimalText.describe(
        'In the quote asset. What fees took of the base asset is in it; fees in other assets are not.',
      ),
      price: decimalText.describe('The last price, at which it was worked out.'),
      ageMs: z.int().describe('Since the venue last vouched for the price.'),
    })
    .nullable()
    .describe('What is still open would make; null once nothing is, and when no price came in time.'),
});

export type PositionSummary = z.output<typeof position>;

const guard = z.object({
  kind: guardKind,
  leg: z.int(),
  version: z.int(),
  price: decimalText.nullable().describe('Where it triggers; null while it waits for its activation.'),
  status: z
    .enum(['arming', 'waiting', 'watched', 'triggered', 'disarmed'])
    .describe('arming: nobody watches it yet. waiting: for its activation.'),
  armedAtMs: atMs,
  triggeredAtMs: atMs.nullable(),
});
export type GuardSummary = z.output<typeof guard>;

const closed = z
  .object({
    tradeId: z.string(),
    symbol: z.string(),
    side: positionSide,
    exitReason: z.union([exitReason, z.literal('none')]),
    entryQuantity: decimalText,
    entryQuote: decimalText,
    exitQuantity: decimalText,
    exitQuote: decimalText,
    fees: decimalText,
    pnl: decimalText,
    pnlAsset: z.string(),
    dust: decimalText,
    writtenOff: decimalText.exactOptional(),
    closedAtMs: atMs,
  })
  .meta({ id: 'PositionClosed' }) satisfies z.ZodType<PositionClosed>;

export const tradeViewSchema = tradeSummarySchema
  .extend({
    request,
    decision: decisionSchema,
    orders: listOf(order),
    positions: listOf(position),
    guards: listOf(guard),
    exitRequest: z
      .object({
        reason: exitReason,
        source: z.string(),
        actor: z.string().nullable(),
        trigger: storedJson.describe('The price that asked for it, where one did.'),
        requestedAtMs: atMs,
      })
      .nullable(),
    result: listOf(closed).nullable(),
    temporalUrl: z.string().nullable().describe("The trade's entry in the Temporal UI."),
  })
  .meta({ id: 'Trade' });
export type TradeView = z.output<typeof tradeViewSchema>;

export const tradeRecordSchema = z
  .object({
    no: z.int().describe('Where to go on from: pass it as `after`.'),
    seq: z.int().nullable().describe('Its place in the audit chain; null until it is sealed.'),
    type: z.string(),
    at: z.string().describe('RFC 3339, UTC.'),
    actor: z.object({ type: z.string(), id: z.string() }),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Record' });
export type TradeRecord = z.output<typeof tradeRecordSchema>;
