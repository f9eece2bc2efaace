import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, type Decimal, isMore, sum } from '../../../src/domain/decimal.ts';
import {
  compareBalances,
  comparePositions,
  type Flow,
  type HeldPosition,
} from '../../../src/domain/reconciliation/holdings.ts';
import { isDifferent } from '../../../src/domain/reconciliation/tolerance.ts';
import { decimalOfScaled } from '../../support/arbitrary-decimal.ts';
import { aDrift, d, tolerances } from './fixtures.ts';

const balance = (asset: string, free: string, locked = '0') => ({ asset, free: d(free), locked: d(locked) });
const flow = (asset: string, change: string): Flow => ({ asset, change: d(change) });
const compare = (before: Record<string, Decimal>, recent: readonly Flow[], actual: ReturnType<typeof balance>[]) =>
  compareBalances({ before, recent }, actual, tolerances);

describe('a balance', () => {
  test.each([
    { why: 'is what was expected', expected: '100.00', actual: '100.00', drifts: false },
    { why: 'is off by exactly the tolerance', expected: '100.00', actual: '100.01', drifts: false },
    { why: 'is too low by exactly the tolerance', expected: '100.00', actual: '99.99', drifts: false },
    { why: 'is off by more than the tolerance', expected: '100.00', actual: '100.011', drifts: true },
    {
      why: 'is off by the least that a decimal can say',
      expected: '100',
      actual: '100.010000000000000001',
      drifts: true,
    },
  ])('that $why drifts: $drifts', ({ expected, actual, drifts }) => {
    expect(compare({ USDT: d(expected) }, [], [balance('USDT', actual)]).length > 0).toBe(drifts);
  });

  test('counts with what is locked in orders', () => {
    expect(compare({ USDT: d('100') }, [], [balance('USDT', '60', '40')])).toEqual([]);
  });

  test('has a tolerance in the units of its asset', () => {
    const actual = [balance('BTC', '0.10002'), balance('BNB', '1.5'), balance('ETH', '0.00001')];
    expect(compare({ BTC: d('0.1'), BNB: d('1') }, [], actual)).toEqual([aDrift('BTC', '0.1', '0.10002', '0.00002')]);
  });

  test('that the venue no longer lists is zero there, and one that is new was expected to be zero', () => {
    expect(compare({ USDT: d('5') }, [], [balance('DOGE', '7')])).toEqual([
      aDrift('DOGE', '0', '7', '7'),
      aDrift('USDT', '5', '0', '-5'),
    ]);
  });

  test.each(['100', '90', '79.5'])('of %s fits, because the venue answered between two fills', (actual) => {
    const recent = [flow('USDT', '-10'), flow('BTC', '1'), flow('USDT', '-10.5')];
    expect(compare({ USDT: d('100'), BTC: d('0') }, recent, [balance('USDT', actual), balance('BTC', '1')])).toEqual(
      [],
    );
  });

  test('that only the second of two fills would explain drifts, measured after all of them', () => {
    const recent = [flow('USDT', '-10'), flow('USDT', '-20')];
    expect(compare({ USDT: d('100') }, recent, [balance('USDT', '80')])).toEqual([aDrift('USDT', '70', '80', '10')]);
  });
});

const change = fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }).map((units) => decimalOfScaled({ units, scale: 4 }));
const amount = fc.bigInt({ min: 0n, max: 10n ** 9n }).map((units) => decimalOfScaled({ units, scale: 4 }));

describe('whatever the fills', () => {
  test('a balance after any number of them is no drift', () => {
    fc.assert(
      fc.property(amount, fc.array(change), fc.nat(), (start, changes, at) => {
        const moment = sum([start, ...changes.slice(0, at % (changes.length + 1))]);
        const recent = changes.map((each): Flow => ({ asset: 'BTC', change: each }));
        expect(compare({ BTC: start }, recent, [balance('BTC', moment)])).toEqual([]);
      }),
    );
  });

  test('without any, a drift is seen exactly when it is above the tolerance, and is what is missing', () => {
    fc.assert(
      fc.property(amount, change, (start, off) => {
        const actual = add(start, off);
        const drifts = compare({ USDT: start }, [], [balance('USDT', actual)]);
        const isSeen = isDifferent(start, actual, d('0.01'));
        expect(drifts).toEqual(isSeen ? [aDrift('USDT', start, actual, off)] : []);
      }),
    );
  });
});

const position = (tradeId: string, held: string, asset = 'BTC'): HeldPosition => ({
  tradeId,
  leg: 0,
  symbol: `${asset}/USDT`,
  asset,
  held: d(held),
});

describe('positions', () => {
  test.each([
    { held: '0.5', actual: '0.5', isShort: false },
    { held: '0.5', actual: '7', isShort: false },
    { held: '0.50001', actual: '0.5', isShort: false },
    { held: '0.50002', actual: '0.5', isShort: true },
  ])('of $held with $actual at the venue are short: $isShort', ({ held, actual, isShort }) => {
    const found = comparePositions([position('t', held)], [], [balance('BTC', actual)], tolerances);
    expect(found.length > 0).toBe(isShort);
  });

  test('that are short are written off from the oldest on', () => {
    const open = [position('old', '0.5'), position('young', '0.3'), position('other', '1', 'ETH')];
    expect(comparePositions(open, [], [balance('BTC', '0.1', '0.1'), balance('ETH', '1')], tolerances)).toEqual([
      {
        kind: 'position',
        asset: 'BTC',
        held: '0.8',
        actual: '0.2',
        shortage: '0.6',
        shares: [
          { tradeId: 'old', leg: 0, symbol: 'BTC/USDT', quantity: '0.5' },
          { tradeId: 'young', leg: 0, symbol: 'BTC/USDT', quantity: '0.1' },
        ],
      },
    ]);
  });

  test('are not short of what an entry bought after the venue had answered', () => {
    const open = [position('t', '1')];
    expect(comparePositions(open, [flow('BTC', '1')], [balance('BTC', '0')], tolerances)).toEqual([]);
    expect(comparePositions(open, [flow('BTC', '0.5')], [balance('BTC', '0')], tolerances)).toHaveLength(1);
  });

  test('never write off more than a position holds, and together what is missing', () => {
    fc.assert(
      fc.property(fc.array(amount, { minLength: 1, maxLength: 6 }), amount, (held, actual) => {
        const open = held.map((each, index) => position(`t-${index}`, each));
        for (const { shortage, shares } of comparePositions(open, [], [balance('BTC', actual)], tolerances)) {
          expect(sum(shares.map(({ quantity }) => quantity))).toBe(shortage);
          for (const share of shares) {
            const own = open.find(({ tradeId }) => tradeId === share.tradeId);
            expect(isMore(share.quantity, own?.held ?? d('0'))).toBe(false);
          }
        }
      }),
    );
  });
});
