import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal, multiply, negate, zero } from '../../../src/domain/decimal.ts';
import { errorCatalog } from '../../../src/domain/errors.ts';
import { controls } from '../../../src/domain/limits/controls.ts';
import { evaluateEntry } from '../../../src/domain/limits/gate.ts';
import { paperLimits } from '../../../src/domain/limits/limits.ts';
import { proposeEntry } from '../../../src/domain/limits/proposal.ts';
import type { Snapshot } from '../../../src/domain/limits/snapshot.ts';
import { aHold, aLeg, anEntry, aSnapshot, decide, deniedBy, holding, saidBy, withLimits } from './fixtures.ts';

const names = controls.map(({ name }) => name);

describe('the gate', () => {
  test('approves an entry within every limit, at its price and without a probe', () => {
    const verdict = decide();
    expect(verdict).toMatchObject({ outcome: 'approved', prices: ['100'], probe: null });
    expect(deniedBy(verdict)).toEqual([]);
  });

  test('asks every control once, in order, and goes on after the first that denies', () => {
    const denied = decide(
      anEntry(),
      aSnapshot({ holds: [aHold()], equity: { amount: null, ageMs: null, fault: null } }),
    );
    expect(denied.evaluations.map(({ control }) => control)).toEqual(names);
    expect(decide().evaluations.map(({ control }) => control)).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
  });

  test('names codes of the catalog', () => {
    const verdicts = [
      decide(),
      decide(anEntry(), aSnapshot({ book: null, breaker: null })),
      decide(anEntry(), aSnapshot(), {}),
    ];
    for (const { evaluations } of verdicts) {
      for (const { code } of evaluations) expect(errorCatalog).toHaveProperty(code);
    }
  });

  test('counts a market order at the last price', () => {
    const verdict = decide(anEntry({ entry: { type: 'MARKET' } }));
    expect(verdict).toMatchObject({ outcome: 'approved', prices: ['100'] });
    expect(saidBy('order_notional', verdict).wouldBe).toBe('1000');
  });

  test('counts a market order with a bound on its slippage at the worst price it may fill at', () => {
    const verdict = decide(anEntry({ entry: { type: 'MARKET', maxSlippageBps: 20 } }));
    expect(verdict).toMatchObject({ outcome: 'approved', prices: ['100.2'] });
    expect(saidBy('slippage', verdict)).toMatchObject({ current: '100', wouldBe: '100.2', limit: '100.2' });
    expect(saidBy('order_notional', verdict).wouldBe).toBe('1002');
  });

  test('counts a short entry below zero', () => {
    const verdict = decide(anEntry({ legs: [aLeg({ side: 'SELL', unitGamma: decimal('0.1') })] }));
    expect(saidBy('portfolio_delta', verdict).wouldBe).toBe('-1000');
    expect(saidBy('portfolio_gamma', verdict).wouldBe).toBe('-1');
    expect(saidBy('correlated_exposure', verdict).wouldBe).toBe('1000');
  });

  test('sends an entry as a probe while the breaker is HALF_OPEN', () => {
    const probe = { halfOpenAtMs: 900_000, expiresAtMs: 1_030_000 };
    const breaker = { state: 'HALF_OPEN', probesLeft: 1, probe, nextTransitionAtMs: null } as const;
    expect(decide(anEntry(), aSnapshot({ breaker }))).toMatchObject({ outcome: 'approved', probe });
    expect(deniedBy(decide(anEntry(), aSnapshot({ breaker: { ...breaker, probesLeft: 0 } })))).toEqual([
      'circuit_breaker',
    ]);
  });

  test('denies everything that a limit is needed for when there are none', () => {
    const snapshot = aSnapshot();
    const verdict = evaluateEntry(snapshot, proposeEntry(anEntry(), snapshot, {}), null);
    expect(deniedBy(verdict)).toEqual(
      names.filter(
        (name) =>
          ![
            'trading_state',
            'circuit_breaker',
            'entry_brake',
            'repeated_entries',
            'entry_rate',
            'request_deadline',
            'short_entry',
            'slippage',
            'venue_filters',
          ].includes(name),
      ),
    );
  });

  test('refuses an entry without a leg as a bug of the caller', () => {
    const snapshot = aSnapshot();
    expect(() =>
      evaluateEntry(snapshot, { legs: [], needsStops: false, requestedAtMs: 0, validForMs: 0 }, paperLimits),
    ).toThrow('has a leg');
    expect(() => decide(anEntry({ legs: [aLeg({ quantity: zero })] }))).toThrow('quantity is positive');
  });
});

describe('for any book and entry', () => {
  const amount = fc.integer({ min: 1, max: 12_000 }).map((whole) => decimal(String(whole)));
  const symbol = fc.constantFrom('BTC/USDT', 'ETH/USDT');
  const gamma = fc.constantFrom('0', '0.001', '0.5').map(decimal);
  const side = fc.constantFrom<'long' | 'short'>('long', 'short');
  const longs = fc.array(
    fc.record({
      tradeId: fc.constantFrom('a', 'b', 'c'),
      symbol,
      notional: amount,
      quantity: amount,
      unitGamma: gamma,
    }),
    { maxLength: 5 },
  );
  const anyBook = fc.array(
    fc.record({
      tradeId: fc.constantFrom('a', 'b', 'c'),
      symbol,
      side,
      notional: amount,
      quantity: amount,
      unitGamma: gamma,
    }),
    { maxLength: 5 },
  );
  const options = fc.record({
    gammaIncludesEntry: fc.boolean(),
    reducingExempt: fc.boolean(),
    shortEntriesAllowed: fc.boolean(),
  });
  const quantity = fc.integer({ min: 1, max: 200 }).map((whole) => decimal(String(whole)));

  test('more exposure never turns a denial into an approval', () => {
    fc.assert(
      fc.property(longs, longs, quantity, quantity, gamma, options, (book, more, small, added, unitGamma, chosen) => {
        const limits = withLimits({ totalExposureCap: decimal('9000'), options: chosen });
        const legs = [aLeg({ quantity: small, unitGamma })];
        const larger = [aLeg({ quantity: decimal(String(Number(small) + Number(added))), unitGamma })];
        fc.pre(decide(anEntry({ legs }), holding(...book), limits).outcome === 'denied');
        expect(decide(anEntry({ legs }), holding(...book, ...more), limits).outcome).toBe('denied');
        expect(decide(anEntry({ legs: larger }), holding(...book), limits).outcome).toBe('denied');
      }),
    );
  });

  test('a looser limit never turns an approval into a denial', () => {
    const decimalLimits = [
      'portfolioDeltaMax',
      'portfolioGammaMax',
      'symbolDeltaMax',
      'concentrationMax',
      'correlatedExposureMax',
      'orderNotionalMax',
    ] as const;
    fc.assert(
      fc.property(anyBook, quantity, fc.constantFrom(...decimalLimits), options, (book, some, name, chosen) => {
        const tight = withLimits({ options: chosen });
        const loose = { ...tight, [name]: multiply(paperLimits[name], decimal('2')) };
        const legs = [aLeg({ quantity: some })];
        fc.pre(decide(anEntry({ legs }), holding(...book), tight).outcome === 'approved');
        expect(decide(anEntry({ legs }), holding(...book), loose).outcome).toBe('approved');
      }),
    );
  });

  test('every control is listed once, whatever is unknown', () => {
    const maybe = <T>(value: T) => fc.option(fc.constant(value), { nil: null });
    fc.assert(
      fc.property(
        anyBook,
        maybe(decimal('10000')),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        quantity,
        (book, equity, hasBook, hasPrice, hasBreaker, some) => {
          const whole = holding(...book);
          const snapshot: Snapshot = {
            ...whole,
            equity: { ...whole.equity, amount: equity },
            book: hasBook ? whole.book : null,
            referencePrices: hasPrice ? whole.referencePrices : {},
            breaker: hasBreaker ? whole.breaker : null,
          };
          const verdict = decide(anEntry({ legs: [aLeg({ quantity: some })] }), snapshot);
          expect(verdict.evaluations.map(({ control }) => control)).toEqual(names);
          if (equity === null || !hasBook || !hasPrice || !hasBreaker) expect(verdict.outcome).toBe('denied');
        },
      ),
    );
  });

  test('what could not be measured denies', () => {
    fc.assert(
      fc.property(anyBook, fc.subarray(Object.keys(paperLimits)), (book, kept) => {
        const limits = Object.fromEntries(Object.entries(paperLimits).filter(([name]) => kept.includes(name)));
        const { evaluations, outcome } = decide(anEntry(), holding(...book), limits);
        for (const { code, allowed } of evaluations) if (code === 'LIMITS_MISSING') expect(allowed).toBe(false);
        if (kept.length < Object.keys(paperLimits).length) expect(outcome).toBe('denied');
      }),
    );
  });

  test('an entry that brings deltas and gamma nearer to zero passes their limits, however far out they are', () => {
    fc.assert(
      fc.property(anyBook, fc.integer({ min: 1, max: 100 }), (book, percent) => {
        const snapshot = holding(...book);
        const { portfolioDelta, portfolioGamma } = snapshot.book ?? { portfolioDelta: zero, portfolioGamma: zero };
        const deltaHere = snapshot.book?.deltaBySymbol['BTC/USDT'] ?? zero;
        // Reduces both: the symbol's share of the portfolio has the portfolio's sign, and is not larger.
        fc.pre(
          Number(deltaHere) * Number(portfolioDelta) > 0 &&
            Math.abs(Number(deltaHere)) <= Math.abs(Number(portfolioDelta)),
        );
        const part = (whole: typeof deltaHere) => negate(multiply(whole, decimal((percent / 100).toFixed(2))));
        const legs = [
          aLeg({
            quantity: decimal('1'),
            unitDelta: multiply(part(deltaHere), decimal('0.01')),
            unitGamma: part(portfolioGamma),
          }),
        ];
        const strict = withLimits({ portfolioDeltaMax: zero, portfolioGammaMax: zero, symbolDeltaMax: zero });
        const denied = deniedBy(decide(anEntry({ legs }), snapshot, strict));
        expect(denied.filter((name) => ['portfolio_delta', 'portfolio_gamma', 'symbol_delta'].includes(name))).toEqual(
          [],
        );
      }),
    );
  });
});
