import { describe, expect, test } from 'vitest';
import { type StatusFacts, statusOf } from '../../src/contracts/schemas/status-of.ts';
import { breakerDefaults } from '../../src/domain/circuit-breaker.ts';
import { decimal } from '../../src/domain/decimal.ts';

const nowMs = 1_795_262_400_000;
const fine = { ok: true, detail: 'answers' };

const theFacts = (changed: Partial<StatusFacts> = {}): StatusFacts => ({
  site: { mode: 'paper', account: 'main', venue: 'paper', currency: 'USDT' },
  account: { currency: 'USDT', equity: decimal('1000'), equityAtMs: nowMs, equityFault: null, balances: [] },
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
      facts: {
        account: { currency: 'USDT', equity: null, equityAtMs: null, equityFault: 'no price of XYZ', balances: [] },
      },
      problems: ['equity is not known: no price of XYZ'],
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

  test('counts ages from the oldest that waits', () => {
    const status = statusOf(theFacts(book({ outbox: { open: 1, oldestAtMs: nowMs - 700 } })));
    expect(status.outbox).toEqual({ open: 1, oldestAgeMs: 700 });
    expect(status.audit).toEqual({ unsealed: 0, oldestUnsealedAgeMs: null });
  });
});
