import { describe, expect, test } from 'vitest';
import type { Reason as SentReason } from '../../../src/contracts/messages/decision.ts';
import { decimal } from '../../../src/domain/decimal.ts';
import { errorCatalog } from '../../../src/domain/errors.ts';
import { paperLimits } from '../../../src/domain/limits/limits.ts';
import { reasonsOf } from '../../../src/domain/limits/reasons.ts';
import { aHold, aLeg, anEntry, aSnapshot, decide, holding, withLimits } from './fixtures.ts';

describe('the reasons of a denial', () => {
  test('are none when nothing denies', () => {
    expect(reasonsOf(decide().evaluations)).toEqual([]);
  });

  test('carry the code, the numbers and what to do', () => {
    const { evaluations } = decide(anEntry(), holding({ notional: decimal('4500') }));
    expect(reasonsOf(evaluations)).toEqual([
      {
        code: 'SYMBOL_DELTA_EXCEEDED',
        message: `${errorCatalog.SYMBOL_DELTA_EXCEEDED.summary} BTC/USDT: 5500, allowed 5000.`,
        remedy: errorCatalog.SYMBOL_DELTA_EXCEEDED.remedy,
        context: { control: 'symbol_delta', scope: 'BTC/USDT', current: '4500', wouldBe: '5500', limit: '5000' },
      },
    ]);
  });

  test('are all of them, in the order of the controls', () => {
    const legs = [aLeg({ quantity: decimal('300') })];
    const { evaluations } = decide(anEntry({ legs }), aSnapshot({ holds: [aHold()] }));
    expect(reasonsOf(evaluations).map(({ code }) => code)).toEqual([
      'TRADING_STATE_BLOCKED',
      'ORDER_NOTIONAL_EXCEEDED',
      'PORTFOLIO_DELTA_EXCEEDED',
      'SYMBOL_DELTA_EXCEEDED',
      'CONCENTRATION_EXCEEDED',
      'CORRELATED_EXPOSURE_EXCEEDED',
    ]);
  });

  test('say what a hold says', () => {
    const [reason] = reasonsOf(decide(anEntry(), aSnapshot({ holds: [aHold()] })).evaluations);
    expect(reason?.message).toContain('entries-blocked on account main, set by operator: a look at the logs.');
    expect(reason?.context).toEqual({
      control: 'trading_state',
      scope: 'account',
      note: 'entries-blocked on account main, set by operator: a look at the logs',
    });
  });

  test('name one unknown once, however many controls ran into it', () => {
    const equity = { amount: null, ageMs: null, fault: 'no price of XYZ/USDT' };
    const reasons = reasonsOf(decide(anEntry(), aSnapshot({ equity })).evaluations);
    expect(reasons.map(({ code, context }) => [code, context['note']])).toEqual([
      ['EQUITY_UNKNOWN', 'no price of XYZ/USDT'],
    ]);
  });

  test('name each limit that is missing', () => {
    const { portfolioDeltaMax: _, ...rest } = paperLimits;
    const { orderNotionalMax: __, ...limits } = rest;
    expect(reasonsOf(decide(anEntry(), aSnapshot(), limits).evaluations).map(({ context }) => context['note'])).toEqual(
      ['orderNotionalMax is not set', 'portfolioDeltaMax is not set'],
    );
  });

  test('keep the note of a limit that passed for a reason', () => {
    const legs = [aLeg({ unitDelta: decimal('-1') })];
    const snapshot = holding({ symbol: 'ETH/USDT', notional: decimal('15000') });
    const { evaluations } = decide(anEntry({ legs }), snapshot, withLimits({}));
    expect(evaluations.find(({ control }) => control === 'portfolio_delta')).toMatchObject({
      allowed: true,
      wouldBe: '14000',
      limit: '10000',
      note: 'above the limit, but the entry brings it nearer to zero',
    });
  });

  test('are what the contract sends', () => {
    const reasons: readonly SentReason[] = reasonsOf(decide(anEntry(), aSnapshot({ book: null })).evaluations);
    expect(reasons.map(({ code }) => code)).toEqual(['BOOK_UNKNOWN']);
  });
});
