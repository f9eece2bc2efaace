import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify, classifyCancel, type OutcomeClass, type VenueSignal } from '../../src/domain/outcome.ts';
import { classifyReplace, type ReplaceHalf, type ReplaceHalves } from '../../src/domain/replace-outcome.ts';

const http = (status: number, code?: number): VenueSignal => ({
  kind: 'http',
  status,
  ...(code !== undefined && { code }),
});

const done: ReplaceHalf = { result: 'SUCCESS', matches: true };
const skipped: ReplaceHalf = { result: 'NOT_ATTEMPTED' };
const failed = (code: number, message: string): ReplaceHalf => ({ result: 'FAILURE', refusal: { code, message } });
const notThere = failed(-2011, 'Unknown order sent.');
const kept = failed(-2011, 'Order was not canceled due to cancel restrictions.');
const noBalance = failed(-2010, 'Account has insufficient balance for requested action.');
const tooMany = failed(-1015, 'Too many new orders; current limit is 50 orders per 10 SECOND.');

type Row = {
  readonly name: string;
  readonly signal: VenueSignal;
  readonly halves: ReplaceHalves | null;
  readonly canceled: OutcomeClass;
  readonly placed: OutcomeClass;
};
const row = (
  name: string,
  signal: VenueSignal,
  halves: readonly [cancel: ReplaceHalf, placement: ReplaceHalf] | null,
  [canceled, placed]: readonly [OutcomeClass, OutcomeClass],
): Row => ({ name, signal, halves: halves && { cancel: halves[0], placement: halves[1] }, canceled, placed });

describe('the outcome of a replacement', () => {
  test.each<Row>([
    row('both done', http(200), [done, done], ['ACCEPTED', 'ACCEPTED']),
    row('stopped, because the cancel failed', http(400, -2022), [notThere, skipped], ['UNKNOWN', 'NOT_SENT']),
    row('stopped, because the cancel was not allowed', http(400, -2022), [kept, skipped], ['REJECTED', 'NOT_SENT']),
    row('F20: canceled, and the new one refused', http(409, -2021), [done, noBalance], ['ACCEPTED', 'REJECTED']),
    row('F20: placed beside the old one', http(409, -2021), [notThere, done], ['UNKNOWN', 'ACCEPTED']),
    row('both failed', http(400, -2022), [notThere, noBalance], ['UNKNOWN', 'REJECTED']),
    row('over the order count, and the cancel failed', http(429), [notThere, skipped], ['UNKNOWN', 'NOT_SENT']),
    row(
      'F20: over the order count, and the old one is gone',
      http(429, -2021),
      [done, tooMany],
      ['ACCEPTED', 'THROTTLED'],
    ),
    row('F20: over the order count, and the venue says no more', http(429, -1015), null, ['UNKNOWN', 'THROTTLED']),
    row('F20: over the request weight', http(429, -1003), null, ['UNKNOWN', 'THROTTLED']),
    row('banned', http(418, -1003), null, ['THROTTLED', 'THROTTLED']),
    row('a filter that the new order breaks', http(400, -1013), null, ['REJECTED', 'REJECTED']),
    row('too late', http(400, -1021), null, ['NOT_SENT', 'NOT_SENT']),
    row('a wrong key', http(401, -2015), null, ['FATAL_CONFIG', 'FATAL_CONFIG']),
    row('partly failed, and nobody says which part', http(409, -2021), null, ['UNKNOWN', 'UNKNOWN']),
    row('failed, and nobody says how', http(400, -2022), null, ['UNKNOWN', 'UNKNOWN']),
    row('a success without its halves', http(200), null, ['UNKNOWN', 'UNKNOWN']),
    row(
      'a success of another order',
      http(200),
      [done, { result: 'SUCCESS', matches: false }],
      ['ACCEPTED', 'UNKNOWN'],
    ),
    row(
      'a failure without its reason',
      http(400, -2022),
      [{ result: 'FAILURE', refusal: null }, skipped],
      ['UNKNOWN', 'NOT_SENT'],
    ),
    row('a failing server, whatever it says', http(504, -1007), [done, done], ['UNKNOWN', 'UNKNOWN']),
    row('a redirect, whatever it says', http(307), [done, done], ['UNKNOWN', 'UNKNOWN']),
    row('a reset', { kind: 'transport', failure: 'reset', firstByteSent: true }, null, ['UNKNOWN', 'UNKNOWN']),
    row('a refused connection', { kind: 'transport', failure: 'refused', firstByteSent: false }, null, [
      'NOT_SENT',
      'NOT_SENT',
    ]),
  ])('$name: $canceled, $placed', ({ signal, halves, canceled, placed }) => {
    expect(classifyReplace(signal, halves)).toEqual({ canceled, placed });
  });

  test('never takes a cancel for undone where a plain cancel would be in doubt', () => {
    const signals = fc.oneof(
      fc.record({
        kind: fc.constant('http' as const),
        status: fc.integer({ min: 200, max: 599 }),
        code: fc.integer({ min: -2050, max: -1000 }),
      }),
      fc.record({
        kind: fc.constant('transport' as const),
        failure: fc.constantFrom('timeout' as const, 'reset' as const),
        firstByteSent: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(signals, (signal) => {
        const { canceled, placed } = classifyReplace(signal, null);
        if (classifyCancel(signal) === 'UNKNOWN') expect(canceled).toBe('UNKNOWN');
        expect(placed).toBe(classify(signal));
      }),
    );
  });
});
