/**
 * What is known of one attempt to send an order.
 *
 * - `ACCEPTED`: the venue answered and the answer names our order.
 * - `NOT_SENT`: it did not reach the matching engine, definitely.
 * - `REJECTED`: the venue refused it, definitely.
 * - `THROTTLED`: refused by a rate limit, definitely not placed.
 * - `UNKNOWN`: it may stand on the book or have filled. Look it up; never send it again.
 * - `FATAL_CONFIG`: refused because of the key or the account. No retry helps; the venue is halted.
 */
export type OutcomeClass = 'ACCEPTED' | 'NOT_SENT' | 'REJECTED' | 'THROTTLED' | 'UNKNOWN' | 'FATAL_CONFIG';

/** Kinds of failure below HTTP. `refused`, `dns` and `tls` happen before the first byte of the request leaves. */
export type TransportFailure = 'refused' | 'dns' | 'tls' | 'timeout' | 'reset' | 'other';

/** What came back from a venue, in the venue's own codes, and whether a byte of the request may have left. */
export type VenueSignal =
  | { readonly kind: 'transport'; readonly failure: TransportFailure; readonly firstByteSent: boolean }
  /** An HTTP answer. `code` and `message` are the venue's; `matches` is true when a 2xx describes our very order. */
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly code?: number;
      readonly message?: string;
      readonly matches?: boolean;
    };

// The matching engine's refusals (-1010, -2010, -2011, -2038) say in their text alone what they refuse. They are compared
// as a whole, without the trailing period: a part of a text never decides.
const codesOfTexts: ReadonlySet<number> = new Set([-1010, -2010, -2011, -2038]);

const fatalMessages: ReadonlySet<string> = new Set([
  'This action is disabled on this account',
  'This account may not place or cancel orders',
]);

const duplicateMessage = 'Duplicate order sent';
const unknownOrderMessage = 'Unknown order sent';

const featureMissing = (feature: string): string => `${feature} orders are not supported for this symbol`;

const definiteMessages: ReadonlySet<string> = new Set([
  unknownOrderMessage,
  'Market is closed',
  'Account has insufficient balance for requested action',
  ...['Market', 'Iceberg', 'Stop loss', 'Stop loss limit', 'Take profit', 'Take profit limit'].map(featureMissing),
  ...['Trailing stop', 'OCO', 'OPO', 'Pegged'].map(featureMissing),
  'Quote order qty market orders are not support for this symbol',
  'Order amend is not supported for this symbol',
  'Order amend (quantity increase) is not supported',
  'Order cancel-replace is not supported for this symbol',
  'Price * QTY is zero or less',
  'IcebergQty exceeds QTY',
  'Unsupported order combination',
  'Order would trigger immediately',
  'Order would immediately match and take',
  'The relationship of the prices for the orders is not correct',
  'Cancel order is invalid. Check origClOrdId and orderId',
  'Order was not canceled due to cancel restrictions',
  'This symbol is not permitted for this account',
  'This symbol is restricted for this account',
  'Rest API trading is not enabled',
  'WebSocket API trading is not enabled',
  'FIX API trading is not enabled',
  'Order book liquidity is less than LOT_SIZE filter minimum quantity',
  'Order book liquidity is less than MARKET_LOT_SIZE filter minimum quantity',
  'Order book liquidity is less than symbol minimum quantity',
  'The requested action would change no state; rejecting',
  'This order type may not use pegged price',
  'This price peg cannot be used with this order type',
  'Order book liquidity is too low for this pegged order',
]);

// Codes that decide by themselves. Every other code leaves the decision to the HTTP status, and that to UNKNOWN.
const classOfCode: ReadonlyMap<number, OutcomeClass> = new Map([
  ...[-1000, -1001, -1006, -1007, -1008, -1016, -2021, -2022].map((code) => [code, 'UNKNOWN'] as const),
  ...[-1003, -1015].map((code) => [code, 'THROTTLED'] as const),
  ...[-1013, -1014, -1020].map((code) => [code, 'REJECTED'] as const),
  ...[-1002, -1022, -2014, -2015].map((code) => [code, 'FATAL_CONFIG'] as const),
  [-1021, 'NOT_SENT'],
]);

/**
 * The outcome of one attempt to place an order. Any 5xx is UNKNOWN whatever code it carries; otherwise the venue's code
 * decides, then the HTTP status, and what nobody recognizes is UNKNOWN once a byte has left. The codes are Binance's.
 */
export const classify = (signal: VenueSignal): OutcomeClass => classifyRequest(signal, classOfPlacementText);

/**
 * The outcome of one attempt to cancel. ACCEPTED: the venue canceled it. UNKNOWN: look the order up, it may be filled,
 * canceled or working. REJECTED: it was definitely not canceled by this request.
 */
export const classifyCancel = (signal: VenueSignal): OutcomeClass => classifyRequest(signal, classOfCancelText);

/**
 * What is known of an order over all its attempts: UNKNOWN dominates, because an attempt that may have arrived is not
 * undone by what a later one was told. Null stands for an attempt without an outcome, which may have been sent: UNKNOWN.
 * No attempts at all are NOT_SENT.
 */
export function joinOutcomes(attempts: readonly (OutcomeClass | null)[]): OutcomeClass {
  return attempts.reduce<OutcomeClass>((worst, attempt) => heavier(worst, attempt ?? 'UNKNOWN'), 'NOT_SENT');
}

/**
 * Whether the same client order id may be sent again with a fresh timestamp: no attempt can have reached the engine,
 * and the venue refuses whatever of them is still on its way. `nowMs` and `signedAtMs` are of the same clock.
 */
export function mayResend(
  outcomesSoFar: readonly (OutcomeClass | null)[],
  signedAtMs: number,
  recvWindowMs: number,
  nowMs: number,
): boolean {
  const harmless = outcomesSoFar.every((outcome) => outcome === 'NOT_SENT' || outcome === 'THROTTLED');
  return harmless && nowMs > signedAtMs + recvWindowMs;
}

/** Whether a refusal says that the rules of the symbol, or its being traded at all, are others than we know. */
export const saysOtherRules = ({
  venueCode,
  detail,
}: {
  readonly venueCode?: number;
  readonly detail: string;
}): boolean => venueCode === -1013 || venueCode === -1111 || venueCode === -1121 || detail.includes('Market is closed');

/** Whether a refusal says that a stop's price was traded already. */
export const saysWouldTrigger = (detail: string): boolean => detail.includes('Order would trigger immediately');

/** From when on "no such order" may count: the venue's window, its API timeout and a margin for look-ups that lag. */
export function fenceAtMs({
  signedAtMs,
  recvWindowMs,
  apiTimeoutMs = 10_000,
  marginMs = 20_000,
}: {
  readonly signedAtMs: number;
  readonly recvWindowMs: number;
  readonly apiTimeoutMs?: number;
  readonly marginMs?: number;
}): number {
  return signedAtMs + recvWindowMs + apiTimeoutMs + marginMs;
}

/**
 * Whether the circuit breaker counts it: rate limits and bans (429, 418), the venue's own failures (5xx) and the
 * network's. Every other answer, a refusal included, shows a venue that works.
 */
export function countsAsBreakerFailure(signal: VenueSignal): boolean {
  if (signal.kind === 'transport') return true;
  return signal.status === 429 || signal.status === 418 || signal.status >= 500;
}

type HttpSignal = Extract<VenueSignal, { kind: 'http' }>;

function classifyRequest(signal: VenueSignal, classOfText: (text: string) => OutcomeClass): OutcomeClass {
  if (signal.kind === 'transport') return signal.firstByteSent ? 'UNKNOWN' : 'NOT_SENT';
  if (signal.status >= 500) return 'UNKNOWN';
  if (signal.status < 400) return isSuccess(signal) ? 'ACCEPTED' : 'UNKNOWN';
  return classOfVenueCode(signal, classOfText) ?? classOfStatus(signal.status);
}

const isSuccess = ({ status, matches }: HttpSignal): boolean => status >= 200 && status < 300 && matches === true;

function classOfVenueCode(
  { code, message = '' }: HttpSignal,
  classOfText: (text: string) => OutcomeClass,
): OutcomeClass | undefined {
  if (code === undefined) return undefined;
  if (codesOfTexts.has(code)) return classOfText(message.replace(/\.$/, ''));
  if (code <= -1100 && code > -1200) return 'REJECTED';
  return classOfCode.get(code);
}

const classOfStatus = (status: number): OutcomeClass => (status === 429 || status === 418 ? 'THROTTLED' : 'UNKNOWN');

function classOfPlacementText(text: string): OutcomeClass {
  if (text === duplicateMessage) return 'UNKNOWN';
  return classOfDefiniteText(text);
}

function classOfCancelText(text: string): OutcomeClass {
  if (text === unknownOrderMessage) return 'UNKNOWN';
  return classOfDefiniteText(text);
}

// A refusal in words that nobody knows may mean what "Duplicate order sent." means.
function classOfDefiniteText(text: string): OutcomeClass {
  if (fatalMessages.has(text)) return 'FATAL_CONFIG';
  return definiteMessages.has(text) ? 'REJECTED' : 'UNKNOWN';
}

const weight: Record<OutcomeClass, number> = {
  NOT_SENT: 0,
  THROTTLED: 1,
  REJECTED: 2,
  FATAL_CONFIG: 3,
  ACCEPTED: 4,
  UNKNOWN: 5,
};

const heavier = (a: OutcomeClass, b: OutcomeClass): OutcomeClass => (weight[b] > weight[a] ? b : a);
