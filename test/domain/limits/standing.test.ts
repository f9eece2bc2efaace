import { describe, expect, test } from 'vitest';
import { decimal } from '../../../src/domain/decimal.ts';
import { limitsOf, standingOf } from '../../../src/domain/limits/standing.ts';
import { anExposure } from './fixtures.ts';

const nowMs = 1_000_000;
const anAccount = { limits: {}, equity: decimal('10000'), equityAtMs: nowMs - 700, equityFault: null };

describe('standingOf', () => {
  test.each([
    { name: 'that was read', changed: {}, equity: { amount: '10000', ageMs: 700, fault: null } },
    {
      name: 'that could not be read again',
      changed: { equityFault: 'no price of XYZ' },
      equity: { amount: '10000', ageMs: 700, fault: 'no price of XYZ' },
    },
    {
      name: 'that was never read',
      changed: { equity: null, equityAtMs: null },
      equity: { amount: null, ageMs: null, fault: null },
    },
  ])('has an equity $name with its age', ({ changed, equity }) => {
    expect(standingOf({ ...anAccount, ...changed }, [], nowMs).equity).toEqual(equity);
  });

  test('folds the book by the groups of the limits', () => {
    const limits = { options: { correlationGroups: { 'BTC/USDT': 'majors', 'ETH/USDT': 'majors' } } };
    const exposures = [anExposure(), anExposure({ tradeId: 'b', symbol: 'ETH/USDT', side: 'short' })];
    const { book } = standingOf({ ...anAccount, limits }, exposures, nowMs);
    expect(book).toMatchObject({ exposureTotal: '2000', portfolioDelta: '0', exposureByGroup: { majors: '2000' } });
  });

  test('knows neither equity nor limits of an account that nobody has opened', () => {
    expect(standingOf(undefined, [], nowMs)).toMatchObject({
      equity: { amount: null, ageMs: null, fault: null },
      book: { exposureTotal: '0', openCount: 0 },
    });
    expect(limitsOf(undefined)).toEqual({});
    expect(limitsOf({ ...anAccount, limits: null })).toEqual({});
  });
});
