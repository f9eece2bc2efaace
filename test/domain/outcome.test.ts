import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  classify,
  classifyCancel,
  countsAsBreakerFailure,
  fenceAtMs,
  joinOutcomes,
  mayResend,
  type OutcomeClass,
  type TransportFailure,
  type VenueSignal,
} from '../../src/domain/outcome.ts';

const http = (status: number, code?: number, message?: string): VenueSignal => ({
  kind: 'http',
  status,
  ...(code !== undefined && { code }),
  ...(message !== undefined && { message }),
});
const answer = (status: number, matches?: boolean): VenueSignal => ({
  kind: 'http',
  status,
  ...(matches !== undefined && { matches }),
});
const transport = (failure: TransportFailure, firstByteSent: boolean): VenueSignal => ({
  kind: 'transport',
  failure,
  firstByteSent,
});

const failures: readonly TransportFailure[] = ['refused', 'dns', 'tls', 'timeout', 'reset', 'other'];
const unknownCodes = [-1000, -1001, -1006, -1007, -1008, -1016];
const fatalCodes = [-1002, -1022, -2014, -2015];

/** The texts of the matching engine's refusals, as the venue documents them. */
const definiteTexts = [
  'Market is closed.',
  'Account has insufficient balance for requested action.',
  'Market orders are not supported for this symbol.',
  'Iceberg orders are not supported for this symbol.',
  'Stop loss orders are not supported for this symbol.',
  'Stop loss limit orders are not supported for this symbol.',
  'Take profit orders are not supported for this symbol.',
  'Take profit limit orders are not supported for this symbol.',
  'Trailing stop orders are not supported for this symbol.',
  'OCO orders are not supported for this symbol',
  'OPO orders are not supported for this symbol.',
  'Pegged orders are not supported for this symbol.',
  'Quote order qty market orders are not support for this symbol.',
  'Order amend is not supported for this symbol.',
  'Order amend (quantity increase) is not supported.',
  'Order cancel-replace is not supported for this symbol.',
  'Price * QTY is zero or less.',
  'IcebergQty exceeds QTY.',
  'Unsupported order combination',
  'Order would trigger immediately.',
  'Order would immediately match and take.',
  'The relationship of the prices for the orders is not correct.',
  'Cancel order is invalid. Check origClOrdId and orderId.',
  'Order was not canceled due to cancel restrictions.',
  'This symbol is not permitted for this account.',
  'This symbol is restricted for this account.',
  'Rest API trading is not enabled.',
  'WebSocket API trading is not enabled.',
  'FIX API trading is not enabled.',
  'Order book liquidity is less than LOT_SIZE filter minimum quantity.',
  'Order book liquidity is less than MARKET_LOT_SIZE filter minimum quantity.',
  'Order book liquidity is less than symbol minimum quantity.',
  'The requested action would change no state; rejecting.',
  'This order type may not use pegged price.',
  'This price peg cannot be used with this order type.',
  'Order book liquidity is too low for this pegged order.',
];
const fatalTexts = ['This action is disabled on this account.', 'This account may not place or cancel orders.'];

type Row = { readonly signal: VenueSignal; readonly expected: OutcomeClass };

const alike: readonly Row[] = [
  ...failures.map((failure) => ({ signal: transport(failure, false), expected: 'NOT_SENT' as const })),
  ...failures.map((failure) => ({ signal: transport(failure, true), expected: 'UNKNOWN' as const })),
  { signal: answer(200, true), expected: 'ACCEPTED' },
  { signal: answer(201, true), expected: 'ACCEPTED' },
  { signal: answer(200, false), expected: 'UNKNOWN' },
  { signal: answer(200), expected: 'UNKNOWN' },
  ...[100, 301, 302, 307].map((status) => ({ signal: answer(status, true), expected: 'UNKNOWN' as const })),
  ...[500, 502, 503, 504].map((status) => ({ signal: http(status), expected: 'UNKNOWN' as const })),
  ...[-1013, -1021, -2010, -2015, -1003].map((code) => ({
    signal: http(500, code, 'Market is closed.'),
    expected: 'UNKNOWN' as const,
  })),
  ...unknownCodes.map((code) => ({ signal: http(400, code), expected: 'UNKNOWN' as const })),
  { signal: http(403), expected: 'UNKNOWN' },
  { signal: http(429), expected: 'THROTTLED' },
  { signal: http(429, -1003), expected: 'THROTTLED' },
  { signal: http(429, -1015), expected: 'THROTTLED' },
  { signal: http(400, -1015), expected: 'THROTTLED' },
  { signal: http(429, -9999), expected: 'THROTTLED' },
  { signal: http(418), expected: 'THROTTLED' },
  { signal: http(418, -1003, 'Way too much request weight used; IP banned until 1.'), expected: 'THROTTLED' },
  { signal: http(429, -2021), expected: 'UNKNOWN' },
  { signal: http(409), expected: 'UNKNOWN' },
  { signal: http(409, -2021), expected: 'UNKNOWN' },
  { signal: http(400, -2022), expected: 'UNKNOWN' },
  { signal: http(400, -1013, 'Filter failure: LOT_SIZE'), expected: 'REJECTED' },
  { signal: http(400, -1021), expected: 'NOT_SENT' },
  ...fatalCodes.map((code) => ({ signal: http(401, code), expected: 'FATAL_CONFIG' as const })),
  ...[-1100, -1102, -1111, -1121, -1199, -1014, -1020].map((code) => ({
    signal: http(400, code),
    expected: 'REJECTED' as const,
  })),
  { signal: http(400), expected: 'UNKNOWN' },
  { signal: http(401), expected: 'UNKNOWN' },
  { signal: http(404), expected: 'UNKNOWN' },
  { signal: http(400, -1099), expected: 'UNKNOWN' },
  { signal: http(400, -1200), expected: 'UNKNOWN' },
  { signal: http(400, -2013), expected: 'UNKNOWN' },
  { signal: http(400, -2026), expected: 'UNKNOWN' },
  { signal: http(400, -2038), expected: 'UNKNOWN' },
  { signal: http(400, -2039), expected: 'UNKNOWN' },
  { signal: http(400, -2010), expected: 'UNKNOWN' },
  { signal: http(400, -2010, 'Some new refusal.'), expected: 'UNKNOWN' },
  { signal: http(400, -2010, 'market is closed.'), expected: 'UNKNOWN' },
  { signal: http(400, -2010, 'Sorry: Market is closed.'), expected: 'UNKNOWN' },
  { signal: http(400, -2010, 'Market is closed..'), expected: 'UNKNOWN' },
  { signal: http(400, -2010, 'Duplicate order sent.'), expected: 'UNKNOWN' },
  ...[-1010, -2010, -2011, -2038].flatMap((code) => [
    ...definiteTexts.flatMap((text) => [
      { signal: http(400, code, text), expected: 'REJECTED' as const },
      { signal: http(400, code, text.replace(/\.$/, '')), expected: 'REJECTED' as const },
    ]),
    ...fatalTexts.map((text) => ({ signal: http(400, code, text), expected: 'FATAL_CONFIG' as const })),
  ]),
];

const shown = (signal: VenueSignal): string => JSON.stringify(signal);

describe('the outcome of a placement', () => {
  test.each<Row>([...alike, { signal: http(400, -2010, 'Unknown order sent.'), expected: 'REJECTED' }])(
    '$signal is $expected',
    ({ signal, expected }) => {
      expect(classify(signal)).toBe(expected);
    },
  );
});

describe('the outcome of a cancel', () => {
  test.each<Row>([
    ...alike,
    { signal: http(400, -2011, 'Unknown order sent.'), expected: 'UNKNOWN' },
    { signal: http(400, -2011, 'Unknown order sent'), expected: 'UNKNOWN' },
  ])('$signal is $expected', ({ signal, expected }) => {
    expect(classifyCancel(signal)).toBe(expected);
  });
});

describe('a failure for the circuit breaker', () => {
  test.each([
    { signal: http(429), expected: true },
    { signal: http(429, -1015), expected: true },
    { signal: http(418), expected: true },
    { signal: http(500), expected: true },
    { signal: http(504, -1007), expected: true },
    ...failures.flatMap((failure) => [
      { signal: transport(failure, true), expected: true },
      { signal: transport(failure, false), expected: true },
    ]),
    { signal: http(400, -2010, 'Market is closed.'), expected: false },
    { signal: http(400, -1013), expected: false },
    { signal: http(400, -1121, 'order 1500 not found'), expected: false },
    { signal: http(401, -2015), expected: false },
    { signal: http(403), expected: false },
    { signal: http(409, -2021), expected: false },
    { signal: answer(200, true), expected: false },
    { signal: answer(200, false), expected: false },
  ])('$signal: $expected', ({ signal, expected }) => {
    expect(countsAsBreakerFailure(signal), shown(signal)).toBe(expected);
  });
});

const classes: readonly OutcomeClass[] = ['ACCEPTED', 'NOT_SENT', 'REJECTED', 'THROTTLED', 'UNKNOWN', 'FATAL_CONFIG'];
const attempt = fc.option(fc.constantFrom(...classes), { nil: null });
const attempts = fc.array(attempt, { maxLength: 6 });

describe('what is known over all attempts', () => {
  test.each<{ given: readonly (OutcomeClass | null)[]; expected: OutcomeClass }>([
    { given: [], expected: 'NOT_SENT' },
    { given: [null], expected: 'UNKNOWN' },
    { given: ['NOT_SENT', 'THROTTLED'], expected: 'THROTTLED' },
    { given: ['THROTTLED', 'REJECTED'], expected: 'REJECTED' },
    { given: ['NOT_SENT', 'FATAL_CONFIG'], expected: 'FATAL_CONFIG' },
    { given: ['THROTTLED', 'ACCEPTED'], expected: 'ACCEPTED' },
    // The published double buy: a time-out, "ordering again", and a refusal for want of balance.
    { given: ['UNKNOWN', 'REJECTED'], expected: 'UNKNOWN' },
    { given: ['UNKNOWN', 'ACCEPTED'], expected: 'UNKNOWN' },
  ])('$given is $expected', ({ given, expected }) => {
    expect(joinOutcomes(given)).toBe(expected);
  });

  test('stays UNKNOWN whatever comes before and after one', () => {
    fc.assert(
      fc.property(attempts, fc.constantFrom<OutcomeClass | null>('UNKNOWN', null), attempts, (before, doubt, later) => {
        expect(joinOutcomes([...before, doubt, ...later])).toBe('UNKNOWN');
      }),
    );
  });

  test('does not depend on the order of the attempts, nor on repetition', () => {
    fc.assert(
      fc.property(attempts, (given) => {
        const joined = joinOutcomes(given);
        expect(joinOutcomes(given.toReversed())).toBe(joined);
        expect(joinOutcomes([...given, ...given])).toBe(joined);
        expect(given.length === 0 || given.includes(joined) || joined === 'UNKNOWN').toBe(true);
      }),
    );
  });
});

describe('sending again', () => {
  const signedAtMs = 1_000_000;
  test.each<{ name: string; given: readonly (OutcomeClass | null)[]; nowMs: number; expected: boolean }>([
    {
      name: 'may after a refused connection, once the window is over',
      given: ['NOT_SENT'],
      nowMs: 3_001,
      expected: true,
    },
    { name: 'may after a rate limit', given: ['THROTTLED', 'NOT_SENT'], nowMs: 3_001, expected: true },
    {
      name: 'may not while the venue would still accept the first copy',
      given: ['NOT_SENT'],
      nowMs: 3_000,
      expected: false,
    },
    { name: 'may not after an attempt without an outcome', given: ['NOT_SENT', null], nowMs: 99_999, expected: false },
    ...(['ACCEPTED', 'REJECTED', 'UNKNOWN', 'FATAL_CONFIG'] as const).map((outcome) => ({
      name: `may not after ${outcome}`,
      given: ['NOT_SENT', outcome] as const,
      nowMs: 99_999,
      expected: false,
    })),
  ])('$name', ({ given, nowMs, expected }) => {
    expect(mayResend(given, signedAtMs, 3_000, signedAtMs + nowMs)).toBe(expected);
  });

  test('may only where the join is harmless', () => {
    fc.assert(
      fc.property(attempts, fc.nat(10_000), (given, laterMs) => {
        if (!mayResend(given, signedAtMs, 3_000, signedAtMs + laterMs)) return;
        expect(['NOT_SENT', 'THROTTLED']).toContain(joinOutcomes(given));
        expect(laterMs).toBeGreaterThan(3_000);
      }),
    );
  });
});

describe('the fence', () => {
  test('is the window, the API timeout and the margin after the signature', () => {
    expect(fenceAtMs({ signedAtMs: 1_000, recvWindowMs: 3_000 })).toBe(34_000);
    expect(fenceAtMs({ signedAtMs: 1_000, recvWindowMs: 3_000, apiTimeoutMs: 5, marginMs: 7 })).toBe(4_012);
  });
});
