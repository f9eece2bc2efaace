import { describe, expect, test } from 'vitest';
import { summaryOf, viewOf } from '../../src/contracts/schemas/book-views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { Guard } from '../../src/domain/guard.ts';

type Book = Parameters<typeof viewOf>[0];
const d = decimal;

const closed = (pnl: string) => ({ pnl: d(pnl), pnlAsset: 'USDT' }) as NonNullable<Book['result']>[number];

const aTrade = (changed: Partial<Book> = {}): Book => ({
  tradeId: 'a b',
  account: 'main',
  strategy: 'ma-cross',
  venue: 'paper',
  phase: 'open',
  request: { legs: [{ symbol: 'ETH/USDT', side: 'SELL' }] } as unknown as Book['request'],
  decision: { outcome: 'approved' } as Book['decision'],
  decidedAtMs: 1,
  openedAtMs: 2,
  closedAtMs: null,
  exitReason: null,
  result: null,
  orders: [],
  positions: [],
  guards: [],
  exitRequest: null,
  ...changed,
});

test.each([
  { name: 'open', result: null, pnl: null, pnlAsset: null },
  { name: 'closed', result: [closed('1.5')], pnl: '1.5', pnlAsset: 'USDT' },
  { name: 'closed with two legs', result: [closed('1.5'), closed('-2')], pnl: '-0.5', pnlAsset: 'USDT' },
])('the line of a trade that is $name', ({ result, pnl, pnlAsset }) => {
  expect(summaryOf(aTrade({ result }))).toMatchObject({ symbol: 'ETH/USDT', side: 'SELL', pnl, pnlAsset });
});

describe('a guard', () => {
  const fixed: Guard = { kind: 'stopLoss', terms: { side: 'long', price: d('90') }, state: { status: 'armed' } };
  const trailing = (status: 'waiting' | 'trailing', stopPrice: string | null) =>
    ({ kind: 'trailingStop', terms: {}, state: { status, extreme: d('100'), stopPrice } }) as Guard;
  const row = { leg: 0, version: 1, acknowledgedVersion: 1, armedAtMs: 1, triggeredAtMs: null, disarmedAtMs: null };

  test.each([
    {
      name: 'nobody has taken up yet',
      guard: fixed,
      changed: { acknowledgedVersion: 0 },
      price: '90',
      status: 'arming',
    },
    { name: 'is watched', guard: fixed, changed: {}, price: '90', status: 'watched' },
    { name: 'waits for its activation', guard: trailing('waiting', null), changed: {}, price: null, status: 'waiting' },
    { name: 'trails', guard: trailing('trailing', '95'), changed: {}, price: '95', status: 'watched' },
    {
      name: 'has triggered',
      guard: fixed,
      changed: { triggeredAtMs: 5, disarmedAtMs: 6 },
      price: '90',
      status: 'triggered',
    },
    { name: 'was disarmed', guard: fixed, changed: { disarmedAtMs: 6 }, price: '90', status: 'disarmed' },
  ])('that $name', ({ guard, changed, price, status }) => {
    const { guards } = viewOf(aTrade({ guards: [{ ...row, ...changed, guard }] }), {
      uiUrl: undefined,
      namespace: 'x',
    });
    expect(guards[0]).toMatchObject({ kind: guard.kind, price, status });
  });
});

test.each([
  { uiUrl: undefined, url: null },
  { uiUrl: 'http://ui:8233', url: 'http://ui:8233/namespaces/default/workflows/entry-a%20b' },
])('the link to the Temporal UI is $url', ({ uiUrl, url }) => {
  expect(viewOf(aTrade(), { uiUrl, namespace: 'default' }).temporalUrl).toBe(url);
});
