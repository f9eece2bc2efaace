import { describe, expect, test } from 'vitest';
import { decimal } from '../../../src/domain/decimal.ts';
import { bookOf } from '../../../src/domain/limits/book.ts';
import { paperLimits } from '../../../src/domain/limits/limits.ts';
import {
  aLeg,
  anEntry,
  anExposure,
  aSnapshot,
  buying,
  type ControlCase,
  decide,
  deniedBy,
  holding,
  roomy,
  withLimits,
} from './fixtures.ts';

const grouped = withLimits({
  ...roomy,
  correlatedExposureMax: decimal('0.8'),
  options: { correlationGroups: { 'BTC/USDT': 'constructor', 'ETH/USDT': 'constructor' } },
});

describe('each portfolio limit', () => {
  test.each<ControlCase>([
    {
      name: 'a portfolio delta at the limit passes',
      asked: buying('10'),
      snapshot: holding({ symbol: 'ETH/USDT', notional: decimal('9000') }),
      denied: [],
    },
    {
      name: 'a portfolio delta above it does not',
      asked: buying('10.01'),
      snapshot: holding({ symbol: 'ETH/USDT', notional: decimal('9000') }),
      denied: ['portfolio_delta'],
    },
    {
      name: 'a short position makes room',
      asked: buying('40'),
      snapshot: holding(
        { symbol: 'ETH/USDT', notional: decimal('9000') },
        { tradeId: 'hedge', symbol: 'SOL/USDT', notional: decimal('5000'), side: 'short' },
      ),
      denied: [],
    },
    {
      name: 'a reducing entry passes from above the portfolio delta',
      asked: { legs: [aLeg({ unitDelta: decimal('-1') })] },
      snapshot: holding({ symbol: 'ETH/USDT', notional: decimal('15000') }),
      denied: [],
    },
    {
      name: 'a reducing entry is denied where the exemption is off',
      asked: { legs: [aLeg({ unitDelta: decimal('-1') })] },
      snapshot: holding({ symbol: 'ETH/USDT', notional: decimal('15000') }),
      limits: withLimits({ options: { reducingExempt: false } }),
      denied: ['portfolio_delta'],
    },
    {
      name: 'an entry that turns the delta around to the same size does not reduce',
      asked: { legs: [aLeg({ quantity: decimal('40'), unitDelta: decimal('-7.5') })] },
      snapshot: holding({ symbol: 'ETH/USDT', notional: decimal('15000') }),
      limits: withLimits({ ...roomy, portfolioDeltaMax: decimal('1') }),
      denied: ['portfolio_delta'],
    },
    {
      name: 'a gamma at the limit passes',
      asked: { legs: [aLeg({ unitGamma: decimal('0.5') })] },
      snapshot: holding({ unitGamma: decimal('0.5') }),
      denied: [],
    },
    {
      name: 'a gamma above it does not',
      asked: { legs: [aLeg({ unitGamma: decimal('0.51') })] },
      snapshot: holding({ unitGamma: decimal('0.5') }),
      denied: ['portfolio_gamma'],
    },
    {
      name: "the entry's gamma can be left out",
      asked: { legs: [aLeg({ unitGamma: decimal('9') })] },
      snapshot: holding({ unitGamma: decimal('1') }),
      limits: withLimits({ options: { gammaIncludesEntry: false } }),
      denied: [],
    },
    {
      name: 'what is held counts even then',
      snapshot: holding({ unitGamma: decimal('1.1') }),
      limits: withLimits({ options: { gammaIncludesEntry: false } }),
      denied: ['portfolio_gamma'],
    },
    {
      name: 'a reducing entry passes from above the gamma',
      asked: { legs: [aLeg({ unitGamma: decimal('-0.1') })] },
      snapshot: holding({ unitGamma: decimal('1.5') }),
      denied: [],
    },
    {
      name: 'and where its own gamma is left out',
      asked: { legs: [aLeg({ unitGamma: decimal('-0.1') })] },
      snapshot: holding({ unitGamma: decimal('1.5') }),
      limits: withLimits({ options: { gammaIncludesEntry: false } }),
      denied: [],
    },
    {
      name: 'a delta in the symbol at the limit passes',
      asked: buying('10'),
      snapshot: holding({ notional: decimal('4000') }),
      denied: [],
    },
    {
      name: 'a delta in the symbol above it does not',
      asked: buying('10.01'),
      snapshot: holding({ notional: decimal('4000') }),
      denied: ['symbol_delta'],
    },
    {
      name: 'another symbol leaves it alone',
      asked: buying('50'),
      snapshot: holding({ symbol: 'ETH/USDT', notional: decimal('4000') }),
      denied: [],
    },
    {
      name: 'a reducing entry passes from above the symbol delta',
      asked: { legs: [aLeg({ unitDelta: decimal('-1') })] },
      snapshot: holding({ notional: decimal('6000') }),
      denied: [],
    },
    { name: 'half of the equity in one entry passes', asked: buying('50'), denied: [] },
    {
      name: 'more than half of it does not',
      asked: buying('50.01'),
      limits: withLimits({ ...roomy, concentrationMax: decimal('0.5') }),
      denied: ['concentration'],
    },
    {
      name: 'by exposure the first entry is all of it',
      asked: buying('1'),
      limits: withLimits({ options: { exposureBase: 'exposure' } }),
      denied: ['concentration', 'correlated_exposure'],
    },
    {
      name: 'by exposure a share at the limit passes',
      asked: buying('10'),
      snapshot: holding({ symbol: 'ETH/USDT', notional: decimal('1000') }),
      limits: withLimits({ options: { exposureBase: 'exposure' } }),
      denied: [],
    },
    {
      name: 'a group at its share passes',
      asked: buying('40'),
      snapshot: holding({ notional: decimal('4000') }),
      limits: withLimits({ ...roomy, correlatedExposureMax: decimal('0.8') }),
      denied: [],
    },
    {
      name: 'a group above it does not',
      asked: buying('40.01'),
      snapshot: holding({ notional: decimal('4000') }),
      limits: withLimits({ ...roomy, correlatedExposureMax: decimal('0.8') }),
      denied: ['correlated_exposure'],
    },
    {
      name: 'a group is configured, and may have any name',
      asked: buying('40.01'),
      snapshot: aSnapshot({ book: bookOf([anExposure({ symbol: 'ETH/USDT', notional: decimal('4000') })], grouped) }),
      limits: grouped,
      denied: ['correlated_exposure'],
    },
    {
      name: 'a total at the cap passes',
      asked: buying('10'),
      snapshot: holding({ notional: decimal('500') }),
      limits: withLimits({ totalExposureCap: decimal('1500') }),
      denied: [],
    },
    {
      name: 'a total above it does not',
      asked: buying('10'),
      snapshot: holding({ notional: decimal('500.01') }),
      limits: withLimits({ totalExposureCap: decimal('1500') }),
      denied: ['total_exposure_cap'],
    },
    {
      name: 'a book that is unknown denies all that is measured in it',
      snapshot: aSnapshot({ book: null }),
      denied: ['portfolio_delta', 'portfolio_gamma', 'symbol_delta', 'correlated_exposure', 'total_exposure_cap'],
    },
    {
      name: 'by exposure, concentration is measured in it too',
      snapshot: aSnapshot({ book: null }),
      limits: withLimits({ options: { exposureBase: 'exposure' } }),
      denied: [
        'portfolio_delta',
        'portfolio_gamma',
        'symbol_delta',
        'concentration',
        'correlated_exposure',
        'total_exposure_cap',
      ],
    },
  ])('$name', ({ asked, snapshot = aSnapshot(), limits = paperLimits, denied }) => {
    expect(deniedBy(decide(anEntry(asked), snapshot, limits))).toEqual(denied);
  });
});
