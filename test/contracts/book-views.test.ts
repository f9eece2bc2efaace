import { describe, expect, test } from 'vitest';
import { summaryOf, viewOf } from '../../src/contracts/schemas/book-views.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { Guard } from '../../src/domain/guard.ts';

type Book = Parameters<typeof viewOf>[0];
const d = decimal;

const closed = (pnl: string, pnlAsset = 'USDT') => ({ pnl: d(pnl), pnlAsset }) as NonNullable<Book['result']>[number];

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
  {
    name: 'closed with legs in different assets',
    result: [closed('1.5'), closed('-2', 'EUR')],
    pnl: null,
    pnlAsset: null,
  },
])('the line of a trade that is $name', ({ result, pnl, pnlAsset }) => {
  expect(summaryOf(aTrade({ result }))).toMatchObject({ symbol: 'ETH/USDT', side: 'SELL', pnl, pnlAsset });
});

test('the line of a trade of several legs names all symbols', () => {
  const legs = [
    { symbol: 'BTC/USDT', side: 'BUY' },
    { symbol: 'ETH/USDT', side: 'BUY' },
  ];
  const request = { legs } as unknown as Book['request'];
  expect(summaryOf(aTrade({ request }))).toMatchObject({ symbol: 'BTC/USDT', otherSymbols: ['ETH/USDT'] });
});

const noUi = { uiUrl: undefined, namespace: 'x' };

describe('a position', () => {
  const long: Book['positions'][number] = {
    leg: 0,
    symbol: 'ETH/USDT',
    side: 'long',
    entryQuantity: d('2'),
    entryQuote: d('200'),
    exitQuantity: d('0'),
    exitQuote: d('0'),
    baseFee: d('0'),
    quoteFee: d('0.2'),
    writtenOff: d('0'),
    isOpen: true,
  };

  test.each([
    { name: 'that is long', changed: {}, price: '103.5', amount: '7' },
    { name: 'that is short', changed: { side: 'short' as const }, price: '103.5', amount: '-7' },
    { name: 'that a fee has made smaller', changed: { baseFee: d('0.1') }, price: '100', amount: '-10' },
    { name: 'that is half closed', changed: { exitQuantity: d('1'), exitQuote: d('110') }, price: '95', amount: '-5' },
  ])('$name would make $amount at $price', ({ changed, price, amount }) => {
    const trade = aTrade({ positions: [{ ...long, ...changed }] });
    const { positions } = viewOf(trade, noUi, { 'ETH/USDT': { price: d(price), ageMs: 12 } });
    expect(positions[0]?.unrealizedPnl).toEqual({ amount, price, ageMs: 12 });
  });

  test.each([
    { name: 'has no price', changed: {}, prices: { 'BTC/USDT': { price: d('9'), ageMs: 1 } } },
    { name: 'is closed', changed: { isOpen: false }, prices: { 'ETH/USDT': { price: d('9'), ageMs: 1 } } },
  ])('that $name would make nobody knows what', ({ changed, prices }) => {
    const { positions } = viewOf(aTrade({ positions: [{ ...long, ...changed }] }), noUi, prices);
    expect(positions[0]?.unrealizedPnl).toBeNull();
  });
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
    const { guards } = viewOf(aTrade({ guards: [{ ...row, ...changed, guard }] }), noUi, {});
    expect(guards[0]).toMatchObject({ kind: guard.kind, price, status });
  });
});

test.each([
  { uiUrl: undefined, url: null },
  { uiUrl: 'http://ui:8233', url: 'http://ui:8233/namespaces/default/workflows/entry-a%20b' },
])('the link to the Temporal UI is $url', ({ uiUrl, url }) => {
  expect(viewOf(aTrade(), { uiUrl, namespace: 'default' }, {}).temporalUrl).toBe(url);
});
