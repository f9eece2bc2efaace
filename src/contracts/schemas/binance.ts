import { z } from 'zod';
import { decimal, isDecimal, isNegative, isPositive } from '../../domain/decimal.ts';

/**
 * What Binance's spot API answers and streams, as far as it is used here. Unknown fields are allowed: the venue adds
 * some every few months. A missing or misshapen one is a fault, and what a fault means is for the adapter to say.
 */
const decimalText = z
  .string()
  .refine(isDecimal, 'a plain decimal as text')
  .transform((text) => decimal(text));
const quantityText = decimalText.refine((value) => !isNegative(value), 'zero or more');
const positiveText = decimalText.refine(isPositive, 'more than zero');
const identifier = z.union([z.int(), z.string().min(1)]).transform(String);
const timeMs = z.int().nonnegative();
const side = z.enum(['BUY', 'SELL']);

const orderStatus = z.enum([
  'NEW',
  'PENDING_NEW',
  'PARTIALLY_FILLED',
  'FILLED',
  'CANCELED',
  'PENDING_CANCEL',
  'REJECTED',
  'EXPIRED',
  'EXPIRED_IN_MATCH',
]);

/** The body of every refusal. */
export const refusalSchema = z.object({ code: z.int(), msg: z.string() });

export const timeSchema = z.object({ serverTime: timeMs });

const orderShape = {
  symbol: z.string(),
  orderId: identifier,
  clientOrderId: z.string(),
  side,
  status: orderStatus,
  origQty: quantityText,
  executedQty: quantityText,
  // Negative = not available, for some very old orders.
  cummulativeQuoteQty: decimalText,
  expiryReason: z.string().optional(),
  /** Zero, or not there at all, for an order that is no stop. */
  stopPrice: quantityText.optional(),
};

/** GET order, openOrders, allOrders. */
export const orderSchema = z.object(orderShape);
export const ordersSchema = z.array(orderSchema);

/** POST order with newOrderRespType=FULL. */
export const placedSchema = z.object({
  ...orderShape,
  transactTime: timeMs,
  fills: z.array(
    z.object({
      price: positiveText,
      qty: positiveText,
      commission: decimalText,
      commissionAsset: z.string().min(1),
      tradeId: identifier,
    }),
  ),
});

/** DELETE order: `clientOrderId` is the cancel's own id there. */
export const canceledSchema = z.object({ ...orderShape, origClientOrderId: z.string() });

/** DELETE openOrders: canceled orders, and lists of orders that were canceled together. */
export const allCanceledSchema = z.array(
  z.union([canceledSchema, z.object({ orderReports: z.array(canceledSchema) })]),
);

const replaceResult = z.enum(['SUCCESS', 'FAILURE', 'NOT_ATTEMPTED']);

/** POST order/cancelReplace: what became of each half. A response is an order, a refusal or null. */
export const replaceHalvesSchema = z.object({
  cancelResult: replaceResult,
  newOrderResult: replaceResult,
  cancelResponse: z.unknown(),
  newOrderResponse: z.unknown(),
});

/** Where an answer that is no plain success has them. */
export const replaceRefusalSchema = z.object({ data: replaceHalvesSchema });

/** GET myTrades. */
export const accountTradesSchema = z.array(
  z.object({
    id: z.int(),
    orderId: identifier,
    price: positiveText,
    qty: positiveText,
    quoteQty: quantityText,
    commission: decimalText,
    commissionAsset: z.string().min(1),
    time: timeMs,
    isMaker: z.boolean(),
  }),
);

/** GET trades and historicalTrades. */
export const marketTradesSchema = z.array(
  z.object({ id: z.int().nonnegative(), price: positiveText, qty: positiveText, time: timeMs }),
);

/** GET account, the part that says what the key's account may do. */
export const permissionsSchema = z.object({ canTrade: z.boolean(), canWithdraw: z.boolean() });

/** GET account, the part with the money. */
export const accountSchema = z.object({
  balances: z.array(z.object({ asset: z.string().min(1), free: quantityText, locked: quantityText })),
});

const filterSchema = z.looseObject({ filterType: z.string() });

export const priceFilterSchema = z.object({ minPrice: quantityText, maxPrice: quantityText, tickSize: quantityText });
export const lotSizeSchema = z.object({ minQty: quantityText, maxQty: quantityText, stepSize: quantityText });
export const minNotionalSchema = z.object({
  minNotional: quantityText,
  // NOTIONAL names it applyMinToMarket, the older MIN_NOTIONAL applyToMarket.
  applyMinToMarket: z.boolean().optional(),
  applyToMarket: z.boolean().optional(),
});

const symbolShape = { symbol: z.string().min(1), baseAsset: z.string().min(1), quoteAsset: z.string().min(1) };
const symbolSchema = z.object({
  ...symbolShape,
  status: z.string(),
  orderTypes: z.array(z.string()).optional(),
  filters: z.array(filterSchema),
});

/** GET exchangeInfo. */
export const exchangeInfoSchema = z.object({
  rateLimits: z.array(
    z.object({ rateLimitType: z.string(), interval: z.string(), intervalNum: z.int().positive(), limit: z.int() }),
  ),
  symbols: z.array(symbolSchema),
});

/** GET exchangeInfo of all symbols, several megabytes, of which only the names are of interest. */
export const symbolNamesSchema = z.object({ symbols: z.array(z.object(symbolShape)) });

/** A `<symbol>@trade` message. A price or quantity that is not a positive decimal does not fit. */
export const tradeEventSchema = z.object({
  e: z.literal('trade'),
  s: z.string(),
  t: z.int().nonnegative(),
  p: positiveText,
  q: positiveText,
  T: timeMs,
});

export const executionReportSchema = z.object({
  e: z.literal('executionReport'),
  s: z.string(),
  c: z.string(),
  /** The id of the order that a cancel was for; else empty. */
  C: z.string().nullish(),
  S: side,
  i: identifier,
  q: quantityText,
  P: quantityText.optional(),
  x: z.string(),
  X: orderStatus,
  r: z.string().optional(),
  eR: z.string().optional(),
  z: quantityText,
  Z: decimalText,
  l: quantityText,
  L: quantityText,
  Y: quantityText,
  n: decimalText,
  N: z.string().nullish(),
  t: z.int(),
  T: timeMs,
  m: z.boolean(),
});

export const accountPositionSchema = z.object({
  e: z.literal('outboundAccountPosition'),
  u: timeMs,
  B: z.array(z.object({ a: z.string().min(1), f: quantityText, l: quantityText })),
});

/** One frame of the WebSocket API: the answer to a request, or an event of a subscription. */
export const streamFrameSchema = z.object({
  id: z.union([z.string(), z.int()]).nullish(),
  status: z.int().optional(),
  error: refusalSchema.optional(),
  event: z.looseObject({ e: z.string() }).optional(),
  e: z.string().optional(),
});
