import { describe, expect, test } from 'vitest';
import { decimal, zero } from '../../../src/domain/decimal.ts';
import type { SymbolFilters } from '../../../src/domain/filters.ts';
import { controls } from '../../../src/domain/limits/controls.ts';
import type { ControlName } from '../../../src/domain/limits/limit.ts';
import { type Limits, paperLimits } from '../../../src/domain/limits/limits.ts';
import type { AskedEntry } from '../../../src/domain/limits/proposal.ts';
import {
  aHold,
  aLeg,
  anEntry,
  aSnapshot,
  buying,
  type ControlCase,
  decide,
  deniedBy,
  holding,
  roomy,
  saidBy,
  someFilters,
  withLimits,
} from './fixtures.ts';

const slipping = (side: 'BUY' | 'SELL', price: string): Partial<AskedEntry> => ({
  legs: [aLeg({ side })],
  entry: { type: 'LIMIT', price: decimal(price), maxSlippageBps: 20 },
});
const ruled = (rules: Partial<SymbolFilters>) => aSnapshot({ filters: { 'BTC/USDT': someFilters(rules) } });
const shorts = withLimits({ options: { shortEntriesAllowed: true } });

describe('each control', () => {
  test.each<ControlCase>([
    { name: 'any hold blocks', snapshot: aSnapshot({ holds: [aHold()] }), denied: ['trading_state'] },
    {
      name: 'a breaker that is OPEN blocks',
      snapshot: aSnapshot({ breaker: { state: 'OPEN', probesLeft: 0, probe: null, nextTransitionAtMs: 1_200_000 } }),
      denied: ['circuit_breaker'],
    },
    { name: 'a breaker that is unknown blocks', snapshot: aSnapshot({ breaker: null }), denied: ['circuit_breaker'] },
    { name: 'a request is in time until its very end', asked: { requestedAtMs: 990_000 }, denied: [] },
    { name: 'a request is late after that', asked: { requestedAtMs: 989_999 }, denied: ['request_deadline'] },
    { name: 'a request from a clock that is ahead is in time', asked: { requestedAtMs: 1_005_000 }, denied: [] },
    { name: 'a request without a deadline is late', asked: { validForMs: Number.NaN }, denied: ['request_deadline'] },
    { name: 'a short entry is refused', asked: { legs: [aLeg({ side: 'SELL' })] }, denied: ['short_entry'] },
    {
      name: 'a short entry is let through where it may be',
      asked: { legs: [aLeg({ side: 'SELL' })] },
      limits: shorts,
      denied: [],
    },
    {
      name: 'an equity of the maximal age counts',
      snapshot: aSnapshot({ equity: { amount: decimal('10000'), ageMs: 60_000, fault: null } }),
      denied: [],
    },
    {
      name: 'an older equity does not',
      snapshot: aSnapshot({ equity: { amount: decimal('10000'), ageMs: 60_001, fault: null } }),
      denied: ['equity'],
    },
    {
      name: 'nor one a part of a millisecond older',
      snapshot: aSnapshot({ equity: { amount: decimal('10000'), ageMs: 60_000.1, fault: null } }),
      denied: ['equity'],
    },
    {
      name: 'nor one of unknown age',
      snapshot: aSnapshot({ equity: { amount: decimal('10000'), ageMs: Number.NaN, fault: null } }),
      denied: ['equity'],
    },
    {
      name: 'an unknown equity denies all that is a share of it',
      snapshot: aSnapshot({ equity: { amount: null, ageMs: 1, fault: 'no price of XYZ/USDT' } }),
      denied: ['equity', 'portfolio_delta', 'symbol_delta', 'concentration', 'correlated_exposure'],
    },
    {
      name: 'so does an equity of zero',
      snapshot: aSnapshot({ equity: { amount: zero, ageMs: 1, fault: null } }),
      denied: ['equity', 'portfolio_delta', 'symbol_delta', 'concentration', 'correlated_exposure'],
    },
    {
      name: 'a price of the maximal age counts',
      snapshot: aSnapshot({ referencePrices: { 'BTC/USDT': { last: decimal('100'), ageMs: 5_000 } } }),
      denied: [],
    },
    {
      name: 'an older price does not',
      snapshot: aSnapshot({ referencePrices: { 'BTC/USDT': { last: decimal('100'), ageMs: 5_001 } } }),
      denied: ['reference_price'],
    },
    { name: 'no price denies', snapshot: aSnapshot({ referencePrices: {} }), denied: ['reference_price'] },
    {
      name: 'a price of zero is none',
      snapshot: aSnapshot({ referencePrices: { 'BTC/USDT': { last: zero, ageMs: 1 } } }),
      denied: ['reference_price'],
    },
    {
      name: 'a market order without a price can not be measured at all',
      asked: { entry: { type: 'MARKET' } },
      snapshot: aSnapshot({ referencePrices: {} }),
      denied: [
        'reference_price',
        'venue_filters',
        'order_notional',
        'portfolio_delta',
        'portfolio_gamma',
        'symbol_delta',
        'concentration',
        'correlated_exposure',
        'total_exposure_cap',
      ],
    },
    {
      name: 'nor can a symbol that is quoted in another currency',
      asked: { legs: [aLeg({ symbol: 'BTC/EUR' })] },
      snapshot: aSnapshot({ referencePrices: { 'BTC/EUR': { last: decimal('100'), ageMs: 1 } } }),
      denied: [
        'order_notional',
        'portfolio_delta',
        'portfolio_gamma',
        'symbol_delta',
        'concentration',
        'correlated_exposure',
        'total_exposure_cap',
      ],
    },
    { name: 'a buy at the worst price allowed passes', asked: slipping('BUY', '100.2'), denied: [] },
    { name: 'a buy above it does not', asked: slipping('BUY', '100.21'), denied: ['slippage'] },
    { name: 'a buy below the market is never worse', asked: slipping('BUY', '1'), denied: [] },
    { name: 'a sale at the worst price allowed passes', asked: slipping('SELL', '99.8'), limits: shorts, denied: [] },
    { name: 'a sale below it does not', asked: slipping('SELL', '99.79'), limits: shorts, denied: ['slippage'] },
    {
      name: 'slippage can not be told without a price',
      asked: slipping('BUY', '100'),
      snapshot: aSnapshot({ referencePrices: {} }),
      denied: ['reference_price', 'slippage'],
    },
    { name: 'trading rules that are unknown deny', snapshot: aSnapshot({ filters: {} }), denied: ['venue_filters'] },
    { name: 'a symbol that does not trade denies', snapshot: ruled({ isTrading: false }), denied: ['venue_filters'] },
    { name: 'a quantity is rounded to its steps first', asked: buying('10.009'), denied: [] },
    {
      name: 'and is denied when nothing is left of it',
      asked: buying('0.009'),
      denied: ['venue_filters', 'venue_filters'],
    },
    { name: 'a limit price is rounded to its ticks first', asked: buying('10', '100.009'), denied: [] },
    { name: 'an order of the smallest notional passes', snapshot: ruled({ notionalMin: decimal('1000') }), denied: [] },
    { name: 'a smaller one does not', snapshot: ruled({ notionalMin: decimal('1000.01') }), denied: ['venue_filters'] },
    {
      name: 'a stop at the venue is taken where stops are, and where nobody says that they are not',
      asked: { exit: { protectiveStop: {} } },
      denied: [],
    },
    {
      name: 'a stop at the venue needs a venue that takes stops',
      asked: { exit: { protectiveStop: {} } },
      snapshot: ruled({ takesStops: false }),
      denied: ['venue_filters'],
    },
    { name: 'nobody else does', snapshot: ruled({ takesStops: false }), denied: [] },
    {
      name: 'a market order counts at the last price there',
      asked: { entry: { type: 'MARKET' } },
      snapshot: ruled({ notionalMin: decimal('1000.01') }),
      denied: ['venue_filters'],
    },
    {
      name: 'a market order may be too large for one',
      asked: { entry: { type: 'MARKET' } },
      snapshot: ruled({ marketQuantityMax: decimal('9.99') }),
      denied: ['venue_filters'],
    },
    {
      name: 'a market order with a bound goes out as a limit order',
      asked: { entry: { type: 'MARKET', maxSlippageBps: 20 } },
      snapshot: ruled({ marketQuantityMax: decimal('9.99') }),
      denied: [],
    },
    {
      name: 'an order of the maximal notional passes',
      asked: buying('250'),
      limits: withLimits({ ...roomy, orderNotionalMax: decimal('25000') }),
      denied: [],
    },
    {
      name: 'a larger one does not',
      asked: buying('250.01'),
      limits: withLimits({ ...roomy, orderNotionalMax: decimal('25000') }),
      denied: ['order_notional'],
    },
  ])('$name', ({ asked, snapshot = aSnapshot(), limits = paperLimits, denied }) => {
    expect(deniedBy(decide(anEntry(asked), snapshot, limits))).toEqual(denied);
  });

  test.each<{ missing: keyof Limits; control: ControlName }>([
    { missing: 'portfolioDeltaMax', control: 'portfolio_delta' },
    { missing: 'portfolioGammaMax', control: 'portfolio_gamma' },
    { missing: 'symbolDeltaMax', control: 'symbol_delta' },
    { missing: 'concentrationMax', control: 'concentration' },
    { missing: 'correlatedExposureMax', control: 'correlated_exposure' },
    { missing: 'totalExposureCap', control: 'total_exposure_cap' },
    { missing: 'orderNotionalMax', control: 'order_notional' },
    { missing: 'equityAgeMsMax', control: 'equity' },
    { missing: 'priceAgeMsMax', control: 'reference_price' },
  ])('$control denies when $missing is missing or no number', ({ missing, control }) => {
    for (const value of [undefined, 'a lot', Number.NaN, {}]) {
      const verdict = decide(anEntry(), aSnapshot(), { ...paperLimits, [missing]: value });
      expect(deniedBy(verdict)).toEqual([control]);
      expect(saidBy(control, verdict)).toMatchObject({
        code: 'LIMITS_MISSING',
        wouldBe: null,
        note: `${missing} is not set`,
      });
    }
  });

  test('a cap of null is an explicit none, a limit of null is a missing one', () => {
    expect(saidBy('total_exposure_cap', decide())).toMatchObject({ allowed: true, wouldBe: '1000', limit: null });
    expect(deniedBy(decide(anEntry(), aSnapshot(), { ...paperLimits, orderNotionalMax: null as never }))).toEqual([
      'order_notional',
    ]);
  });

  test('every fault that the venue would name is a denial of its own', () => {
    const { evaluations } = decide(anEntry(buying('0.009')), ruled({ isTrading: false }));
    const faults = evaluations.filter(({ control }) => control === 'venue_filters');
    expect(faults.map(({ code, allowed }) => [code, allowed])).toEqual([
      ['SYMBOL_NOT_TRADING', false],
      ['LOT_SIZE', false],
      ['NOTIONAL', false],
    ]);
    expect(faults[1]?.note).toBe('quantity 0, min 0.01, stepSize 0.01');
  });

  test('the holds are named, the strictest first', () => {
    const holds = [
      aHold(),
      aHold({ level: 'flatten', scope: { kind: 'all', id: '*' }, reason: 'an outage' }),
      aHold({
        level: 'frozen',
        source: 'venue',
        scope: { kind: 'symbol', id: 'BTC/USDT' },
        reason: 'the key is refused',
      }),
    ];
    expect(saidBy('trading_state', decide(anEntry(), aSnapshot({ holds }))).note).toBe(
      'flatten on everything, set by operator: an outage; ' +
        'frozen on symbol BTC/USDT, set by venue: the key is refused; ' +
        'entries-blocked on account main, set by operator: a look at the logs',
    );
  });

  test('the breaker says for how long it is OPEN', () => {
    const breaker = { state: 'OPEN', probesLeft: 0, probe: null, nextTransitionAtMs: 1_200_000 } as const;
    expect(saidBy('circuit_breaker', decide(anEntry(), aSnapshot({ breaker }))).note).toBe(
      'OPEN for another 200000 ms',
    );
  });

  test('the numbers are those of the comparison', () => {
    const verdict = decide(anEntry(), holding({ symbol: 'ETH/USDT', notional: decimal('500') }));
    expect(saidBy('portfolio_delta', verdict)).toMatchObject({
      scope: 'account',
      current: '500',
      wouldBe: '1500',
      limit: '10000',
    });
    expect(saidBy('symbol_delta', verdict)).toMatchObject({
      scope: 'BTC/USDT',
      current: '0',
      wouldBe: '1000',
      limit: '5000',
    });
    expect(saidBy('concentration', verdict)).toMatchObject({ current: '0', wouldBe: '1000', limit: '5000' });
    expect(saidBy('correlated_exposure', verdict)).toMatchObject({
      scope: 'BTC',
      current: '0',
      wouldBe: '1000',
      limit: '8000',
    });
    expect(saidBy('request_deadline', verdict)).toMatchObject({ scope: 'request', wouldBe: '1000', limit: '10000' });
  });

  test('an entry of two legs is measured in each of its symbols, and as a whole', () => {
    const legs = [aLeg({ quantity: decimal('45') }), aLeg({ symbol: 'ETH/USDT', quantity: decimal('60') })];
    const last = { last: decimal('100'), ageMs: 1 };
    const snapshot = aSnapshot({ referencePrices: { 'BTC/USDT': last, 'ETH/USDT': last } });
    const verdict = decide(anEntry({ legs }), snapshot);
    const symbols = verdict.evaluations.filter(({ control }) => control === 'symbol_delta');
    expect(symbols.map(({ scope, allowed }) => [scope, allowed])).toEqual([
      ['BTC/USDT', true],
      ['ETH/USDT', false],
    ]);
    expect(saidBy('portfolio_delta', verdict)).toMatchObject({ wouldBe: '10500', allowed: false });
    expect(new Set(verdict.evaluations.map(({ control }) => control))).toEqual(
      new Set(controls.map(({ name }) => name)),
    );
  });
});
