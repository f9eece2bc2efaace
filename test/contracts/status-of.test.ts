import { describe, expect, test } from 'vitest';
import { type StatusFacts, statusOf } from '../../src/contracts/schemas/status-of.ts';
import { breakerDefaults } from '../../src/domain/circuit-breaker.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { paperLimits } from '../../src/domain/limits/limits.ts';
import { anExposure } from '../domain/limits/fixtures.ts';

const nowMs = 1_795_262_400_000;
const fine = { ok: true, detail: 'answers' };

const anAccount = (changed: Partial<NonNullable<StatusFacts['account']>> = {}): StatusFacts['account'] => ({
  currency: 'USDT',
  limits: paperLimits,
  equity: decimal('1000'),
  equityAtMs: nowMs,
  equityFault: null,
  balances: [],
  ...changed,
});

const theFacts = (changed: Partial<StatusFacts> = {}): StatusFacts => ({
  site: { mode: 'paper', account: 'main', venue: 'paper', currency: 'USDT' },
  account: anAccount(),
  exposures: [],
  book: {
    trades: { placing: 0, working: 0, open: 1, closing: 0 },
    orders: { working: 0, inDoubt: 0, parked: 0 },
    outbox: { open: 0, oldestAtMs: null },
    audit: { unsealed: 0, oldestUnsealedAtMs: null },
  },
  holds: [],
  alerts: [],
  breaker: { state: null, unapplied: [] },
  breakerSettings: breakerDefaults,
  health: { temporal: fine, entryWorkers: fine, guardWorkers: fine, watchWorkers: fine, venueWorkers: fine },
  nowMs,
  ...changed,
});

const book = (changed: object) => ({ book: { ...theFacts().book, ...changed } });
const silent = { ok: false, detail: 'does not answer' };
const failures = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ kind: 'failure' as const, atMs: nowMs - 1_000 + i }));

describe('statusOf', () => {
  test('a stack in which nothing is wrong has no problems', () => {
    expect(statusOf(theFacts()).problems).toEqual([]);
  });

  test.each<{ name: string; facts: Partial<StatusFacts>; problems: readonly string[] }>([
    { name: 'an account that is not set up', facts: { account: undefined }, problems: ['account main is not set up'] },
    {
      name: 'an equity that is unknown',
      facts: { account: anAccount({ equity: null, equityAtMs: null, equityFault: 'no price of XYZ' }) },
      problems: ['equity is not known: no price of XYZ'],
    },
    {
      name: 'an equity that nobody has read yet, once for all the limits that are shares of it',
      facts: { account: anAccount({ equity: null, equityAtMs: null }) },
      problems: ['limits can not be measured: no equity has been read yet'],
    },
    {
      name: 'a limit that is not set',
      facts: { account: anAccount({ limits: { ...paperLimits, totalExposureCap: undefined } }) },
      problems: ['limits can not be measured: totalExposureCap is not set'],
    },
    {
      name: 'every limit that the book breaks, with its numbers',
      facts: { exposures: [anExposure({ notional: decimal('801') })] },
      problems: [
        'limit symbol_delta of BTC/USDT is broken: 801, allowed 500',
        'limit concentration of account is broken: 801, allowed 500',
        'limit correlated_exposure of BTC is broken: 801, allowed 800',
      ],
    },
    {
      name: 'a book at its limits',
      facts: { exposures: [anExposure({ notional: decimal('500') })] },
      problems: [],
    },
    {
      name: 'orders that nobody knows',
      facts: book({ orders: { working: 0, inDoubt: 2, parked: 1 } }),
      problems: ['2 orders in doubt, being asked for', '1 orders parked: ratchet resolve'],
    },
    {
      name: 'messages that wait',
      facts: book({ outbox: { open: 3, oldestAtMs: nowMs - 5_001 } }),
      problems: ['3 messages to workflows wait: does a worker run?'],
    },
    {
      name: 'messages that have just come',
      facts: book({ outbox: { open: 3, oldestAtMs: nowMs - 5_000 } }),
      problems: [],
    },
    {
      name: 'records that nobody seals',
      facts: book({ audit: { unsealed: 9, oldestUnsealedAtMs: nowMs - 60_000 } }),
      problems: ['9 records are not sealed: does a worker or the API run?'],
    },
    {
      name: 'alerts, but for those that only inform',
      facts: {
        alerts: [
          { code: 'ORDER_PARKED', severity: 'CRITICAL', message: 'look', raisedAtMs: 1 },
          { code: 'FILL_CORRECTED', severity: 'INFO', message: 'fyi', raisedAtMs: 1 },
        ],
      },
      problems: ['alert ORDER_PARKED: look'],
    },
    {
      name: 'a queue that nobody polls',
      facts: { health: { ...theFacts().health, guardWorkers: { ok: false, detail: 'nobody polls ratchet-guards' } } },
      problems: ['guardWorkers: nobody polls ratchet-guards'],
    },
    {
      name: 'a silent Temporal, said once',
      facts: {
        health: {
          temporal: silent,
          entryWorkers: silent,
          guardWorkers: silent,
          watchWorkers: silent,
          venueWorkers: silent,
        },
      },
      problems: ['temporal: does not answer'],
    },
    {
      name: 'a breaker that is open by outcomes which its lifecycle has not folded yet',
      facts: { breaker: { state: null, unapplied: failures(breakerDefaults.failureThreshold) } },
      problems: ['the circuit breaker is OPEN'],
    },
  ])('names $name', ({ facts, problems }) => {
    expect(statusOf(theFacts(facts)).problems).toEqual(problems);
  });

  test('says what is used and what room is left, in the currency of the account', () => {
    const exposures = [
      anExposure({ notional: decimal('300') }),
      anExposure({ tradeId: 'b', symbol: 'ETH/USDT', side: 'short', notional: decimal('100.5') }),
    ];
    expect(statusOf(theFacts({ exposures }))).toMatchObject({
      portfolio: { exposure: '400.5', delta: '199.5', openTrades: 2 },
      remaining: { exposure: '500', delta: '800.5' },
      brokenLimits: [],
    });
  });

  test.each([
    { name: 'an account that is not set up', account: undefined },
    { name: 'an equity that is too old', account: anAccount({ equityAtMs: nowMs - 60_001 }) },
    { name: 'a limit that is missing', account: anAccount({ limits: {} }) },
  ])('knows of no room with $name', ({ account }) => {
    const { portfolio, remaining } = statusOf(theFacts({ account }));
    expect(remaining).toEqual({ exposure: null, delta: null });
    expect(portfolio).toEqual({ exposure: '0', delta: '0', openTrades: 0 });
  });

  test('has the numbers of each broken limit', () => {
    const { brokenLimits } = statusOf(theFacts({ exposures: [anExposure({ notional: decimal('501') })] }));
    expect(brokenLimits).toMatchObject([
      { control: 'symbol_delta', code: 'SYMBOL_DELTA_EXCEEDED', scope: 'BTC/USDT', current: '501', limit: '500' },
      { control: 'concentration', code: 'CONCENTRATION_EXCEEDED', scope: 'account', current: '501', limit: '500' },
    ]);
  });

  test('counts ages from the oldest that waits', () => {
    const status = statusOf(theFacts(book({ outbox: { open: 1, oldestAtMs: nowMs - 700 } })));
    expect(status.outbox).toEqual({ open: 1, oldestAgeMs: 700 });
    expect(status.audit).toEqual({ unsealed: 0, oldestUnsealedAgeMs: null });
  });
});
