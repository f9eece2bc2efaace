import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assess, type Look, type OpenDifference } from '../../../src/domain/reconciliation/assess.ts';
import { type Difference, keyOf, type Part } from '../../../src/domain/reconciliation/difference.ts';
import { aDrift, anExternalOrder, aShortage, d, tolerances } from './fixtures.ts';

const drift = aDrift('USDT', '100', '90', '-10');
const external = anExternalOrder();
const none: ReadonlySet<string> = new Set();

const looked = (differences: readonly Difference[], unavailable: Look['unavailable'] = {}): Look => ({
  differences,
  unavailable,
});
const open = (difference: Difference, differenceId = 1): OpenDifference => ({ differenceId, revision: 1, difference });
const judge = (look: Look, known: readonly OpenDifference[] = [], suspects: readonly Difference[] = []) =>
  assess(look, known, suspects, none, tolerances);

describe('a difference', () => {
  test('is not found by one look alone', () => {
    expect(judge(looked([drift]))).toMatchObject({ found: [], unconfirmed: [drift] });
  });

  test('is found by a second look that sees the same', () => {
    expect(judge(looked([drift]), [], [drift])).toMatchObject({ found: [drift], unconfirmed: [] });
  });

  test('that the second look sees with another amount was perhaps on its way', () => {
    const other = aDrift('USDT', '100', '95', '-5');
    expect(judge(looked([other]), [], [drift])).toMatchObject({ found: [], unconfirmed: [other] });
  });

  test('whose amount wavers within the tolerance is the same', () => {
    const wavering = aDrift('USDT', '100', '90.01', '-9.99');
    expect(judge(looked([wavering]), [], [drift]).found).toEqual([wavering]);
    expect(judge(looked([wavering]), [open(drift)])).toEqual({ found: [], changed: [], gone: [], unconfirmed: [] });
  });

  test('that is known makes nothing new', () => {
    const known = [open(drift), open(external, 2)];
    expect(judge(looked([drift, external]), known)).toEqual({ found: [], changed: [], gone: [], unconfirmed: [] });
  });

  test('that is known with another content has changed once two looks have seen it', () => {
    const grown = aDrift('USDT', '100', '80', '-20');
    expect(judge(looked([grown]), [open(drift)])).toMatchObject({ changed: [], unconfirmed: [grown] });
    expect(judge(looked([grown]), [open(drift)], [grown]).changed).toEqual([{ before: open(drift), now: grown }]);
  });

  test('that can not be on its way is found by one look', () => {
    expect(judge(looked([external]))).toMatchObject({ found: [external], unconfirmed: [] });
    const filled = anExternalOrder({ filledQuantity: d('1'), isWorking: false });
    expect(judge(looked([filled]), [open(external)]).changed).toEqual([{ before: open(external), now: filled }]);
  });

  test('an order that only its fills tell of is looked for again: it may be ours, and its answer on its way', () => {
    const fromFills = { ...external, clientOrderId: null };
    expect(judge(looked([fromFills]))).toMatchObject({ found: [], unconfirmed: [fromFills] });
    expect(judge(looked([fromFills]), [], [fromFills])).toMatchObject({ found: [fromFills], unconfirmed: [] });
  });

  test('that is seen no more is gone', () => {
    expect(judge(looked([]), [open(drift)]).gone).toEqual([open(drift)]);
  });

  test('is not gone while its part can not be read', () => {
    const known = [open(drift), open(external, 2), open(aShortage(), 3)];
    expect(judge(looked([], { orders: 'time-out' }), known).gone.map(({ differenceId }) => differenceId)).toEqual([
      1, 3,
    ]);
    expect(judge(looked([], { balances: 'time-out', positions: 'time-out' }), known).gone).toEqual([open(external, 2)]);
  });

  test('that a person has taken note of is none any more', () => {
    const accepted = new Set([keyOf(external)]);
    expect(assess(looked([external]), [], [external], accepted, tolerances)).toMatchObject({
      found: [],
      unconfirmed: [],
    });
  });

  test('that would be written off from other trades has changed', () => {
    const others = aShortage({ shares: [{ tradeId: 't-2', leg: 0, symbol: 'BTC/USDT', quantity: d('0.6') }] });
    expect(judge(looked([others]), [open(aShortage())], [others]).changed).toHaveLength(1);
  });
});

const anyDifference = fc.constantFrom<Difference>(
  drift,
  aDrift('BTC', '1', '2', '1'),
  external,
  anExternalOrder({ venueOrderId: '8', isWorking: false, filledQuantity: d('1') }),
  aShortage(),
);
const anyLook = fc.uniqueArray(anyDifference, { selector: keyOf });

describe('whatever is seen', () => {
  test('I17: a second run that sees the same finds, changes and ends nothing', () => {
    fc.assert(
      fc.property(anyLook, (seen) => {
        const first = judge(looked(seen), [], seen);
        const known = first.found.map(open);
        expect(judge(looked(seen), known, seen)).toEqual({ found: [], changed: [], gone: [], unconfirmed: [] });
      }),
    );
  });

  test('a run that can read nothing finds and ends nothing', () => {
    const nothing: Record<Part, string> = { orders: 'x', fills: 'x', balances: 'x', positions: 'x' };
    fc.assert(
      fc.property(anyLook, (known) => {
        expect(judge(looked([], nothing), known.map(open))).toEqual({
          found: [],
          changed: [],
          gone: [],
          unconfirmed: [],
        });
      }),
    );
  });

  test('nothing is both found and known, and every news item that can be on its way was seen twice', () => {
    fc.assert(
      fc.property(anyLook, anyLook, anyLook, (seen, known, suspects) => {
        const { found, changed, gone, unconfirmed } = judge(looked(seen), known.map(open), suspects);
        const suspected = new Set(suspects.map(keyOf));
        for (const each of [...found, ...changed.map(({ now }) => now)]) {
          if (each.kind !== 'externalOrder') expect(suspected).toContain(keyOf(each));
        }
        const knownKeys = new Set(known.map(keyOf));
        for (const each of found) expect(knownKeys).not.toContain(keyOf(each));
        for (const { difference } of gone) expect(seen.map(keyOf)).not.toContain(keyOf(difference));
        for (const each of unconfirmed) expect(seen.map(keyOf)).toContain(keyOf(each));
      }),
    );
  });
});
