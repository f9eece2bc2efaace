import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  add,
  type Decimal,
  decimal,
  isNegative,
  multiply,
  negate,
  subtract,
  sum,
  zero,
} from '../../src/domain/decimal.ts';
import { virtualClock } from '../../src/simulator/clock.ts';
import type { OrderCommand } from '../../src/simulator/exchange/acceptance.ts';
import { createExchange, type Exchange } from '../../src/simulator/exchange/exchange.ts';
import { type FeeRules, standardThird } from '../../src/simulator/exchange/fees.ts';
import type { ExchangeEvent } from '../../src/simulator/exchange/journal.ts';
import { openLedger } from '../../src/simulator/exchange/ledger.ts';
import { marketOf } from '../../src/simulator/exchange/market-rules.ts';
import { memoryTape } from '../../src/simulator/exchange/tape.ts';

const fees: FeeRules = {
  makerBps: decimal('10'),
  takerBps: decimal('20'),
  rebateBps: zero,
  paidIn: 'received',
  third: standardThird,
};
const market = {
  // Each price of the book shows one, at ten prices.
  ...marketOf(
    { symbol: 'BTC/USDT', tickSize: decimal('1'), stepSize: decimal('0.001'), tradeQuantity: decimal('0.02') },
    ['BTC', 'USDT'],
  ),
  levelsMax: 10,
};

function anExchange(options: { fees?: FeeRules; deposits?: Record<string, string>; price?: string | null } = {}) {
  const clock = virtualClock(1_000_000);
  const ledger = openLedger(null);
  const exchange = createExchange({
    markets: [{ market, tape: memoryTape() }],
    ledger,
    clock,
    fees: options.fees ?? fees,
  });
  for (const [asset, quantity] of Object.entries(options.deposits ?? { USDT: '10000', BTC: '10' })) {
    exchange.changeBalance(asset, decimal(quantity), 'deposit');
  }
  // A sale at 100 leaves the quotes at 100 and 101.
  if (options.price !== null) tradeAt(exchange, options.price ?? '100');
  return { exchange, ledger, clock };
}

const tradeAt = (exchange: Exchange, price: string, quantity = '1', aggressor: 'BUY' | 'SELL' = 'SELL'): void =>
  exchange.trade('BTCUSDT', { price: decimal(price), quantity: decimal(quantity), aggressor });

const anOrder = (terms: Partial<OrderCommand> & { quantity: Decimal }): OrderCommand => ({
  clientOrderId: 'c1',
  symbol: 'BTCUSDT',
  side: 'BUY',
  type: terms.limitPrice === undefined ? 'MARKET' : 'LIMIT',
  timeInForce: 'GTC',
  limitPrice: null,
  stopPrice: null,
  preventionMode: 'EXPIRE_MAKER',
  origin: 'api',
  requestId: 1,
  receivedAtMs: 0,
  ...terms,
});

const moneyOf = ({ books }: Exchange) =>
  Object.fromEntries(books.balances().map(({ asset, free, locked }) => [asset, [free, locked]]));

describe('taking from the book', () => {
  test.each([
    {
      name: 'a market order fills at once, the fee from what it receives',
      order: anOrder({ quantity: decimal('0.5') }),
      status: 'FILLED',
      fills: ['0.5@101'],
      money: { USDT: ['9949.5', '0'], BTC: ['10.499', '0'] },
    },
    {
      name: 'a sale pays its fee in quote',
      order: anOrder({ side: 'SELL', quantity: decimal('0.5') }),
      status: 'FILLED',
      fills: ['0.5@100'],
      money: { USDT: ['10049.9', '0'], BTC: ['9.5', '0'] },
    },
    {
      name: 'a market order walks the book',
      order: anOrder({ quantity: decimal('2.5') }),
      status: 'FILLED',
      fills: ['1@101', '1@102', '0.5@103'],
      money: { USDT: ['9745.5', '0'], BTC: ['12.495', '0'] },
    },
    {
      name: 'a market order that empties the book expires with what it got',
      order: anOrder({ side: 'SELL', quantity: decimal('10') }),
      rules: { levelsMax: 2 },
      status: 'EXPIRED',
      reason: 'INSUFFICIENT_LIQUIDITY',
      fills: ['1@100', '1@99'],
      money: { USDT: ['10198.602', '0'], BTC: ['8', '0'] },
    },
    {
      name: 'IOC takes what there is within its limit and expires',
      order: anOrder({ quantity: decimal('3'), limitPrice: decimal('102'), timeInForce: 'IOC' }),
      status: 'EXPIRED',
      reason: 'UNFILLED_IOC_QUANTITY_EXPIRED',
      fills: ['1@101', '1@102'],
      money: { USDT: ['9797', '0'], BTC: ['11.996', '0'] },
    },
    {
      name: 'FOK takes nothing when it cannot have all',
      order: anOrder({ quantity: decimal('3'), limitPrice: decimal('102'), timeInForce: 'FOK' }),
      status: 'EXPIRED',
      reason: 'UNFILLED_FOK_ORDER_EXPIRED',
      fills: [],
      money: { USDT: ['10000', '0'], BTC: ['10', '0'] },
    },
    {
      name: 'FOK takes all when it can',
      order: anOrder({ quantity: decimal('2'), limitPrice: decimal('102'), timeInForce: 'FOK' }),
      status: 'FILLED',
      fills: ['1@101', '1@102'],
      money: { USDT: ['9797', '0'], BTC: ['11.996', '0'] },
    },
    {
      name: 'a limit order takes first and rests with its remainder, which alone stays locked',
      order: anOrder({ quantity: decimal('3'), limitPrice: decimal('102') }),
      status: 'PARTIALLY_FILLED',
      fills: ['1@101', '1@102'],
      money: { USDT: ['9695', '102'], BTC: ['11.996', '0'] },
    },
  ])('$name', ({ order, status, reason = 'NONE', fills, money, rules }) => {
    const { exchange } = anExchange();
    const venue = exchange.venue('BTCUSDT');
    venue.market = { ...venue.market, ...rules };
    const placement = exchange.place(order);
    if (placement.outcome === 'refused') throw placement.refusal;
    expect(placement.order).toMatchObject({ status, reason });
    expect(placement.fills.map((fill) => `${fill.quantity}@${fill.price}`)).toEqual(fills);
    expect(moneyOf(exchange)).toEqual(money);
  });

  test('a buyer that pays its fee in quote receives all it bought', () => {
    const { exchange } = anExchange({ fees: { ...fees, paidIn: 'quote' } });
    exchange.place(anOrder({ quantity: decimal('0.5') }));
    expect(moneyOf(exchange)).toEqual({ USDT: ['9949.399', '0'], BTC: ['10.5', '0'] });
  });

  test('without a price, a market order expires with nothing', () => {
    const { exchange } = anExchange({ price: null });
    const placement = exchange.place(anOrder({ quantity: decimal('1') }));
    expect(placement).toMatchObject({
      order: { status: 'EXPIRED', filledQuantity: '0', reason: 'INSUFFICIENT_LIQUIDITY' },
    });
  });
});

describe('resting orders', () => {
  test.each([
    { name: 'a trade at the price fills', trades: [['98', '5']], filled: '2', status: 'FILLED' },
    {
      name: 'a trade through the price fills, at the price of the order',
      trades: [['90', '5']],
      filled: '2',
      status: 'FILLED',
    },
    { name: 'a trade above it does not', trades: [['99', '5']], filled: '0', status: 'NEW' },
    { name: 'a small trade fills in part', trades: [['98', '0.5']], filled: '0.5', status: 'PARTIALLY_FILLED' },
    {
      name: 'trades add up',
      trades: [
        ['98', '0.5'],
        ['97', '1.5'],
      ],
      filled: '2',
      status: 'FILLED',
    },
  ] as const)('$name', ({ trades, filled, status }) => {
    const { exchange } = anExchange();
    exchange.place(anOrder({ quantity: decimal('2'), limitPrice: decimal('98') }));
    for (const [price, quantity] of trades) tradeAt(exchange, price, quantity);
    expect(exchange.books.order(1)).toMatchObject({
      status,
      filledQuantity: filled,
      filledQuote: multiply(decimal(filled), decimal('98')),
    });
    expect(exchange.books.fills.every(({ isMaker, price }) => isMaker && price === '98')).toBe(true);
  });

  test('the better price is served first, then the older order', () => {
    const { exchange } = anExchange();
    for (const [index, price] of ['97', '98', '98'].entries()) {
      exchange.place(anOrder({ clientOrderId: `c${index}`, quantity: decimal('1'), limitPrice: decimal(price) }));
    }
    tradeAt(exchange, '96', '1.5');
    expect(exchange.books.fills.map(({ orderId, quantity }) => [orderId, quantity])).toEqual([
      [2, '1'],
      [3, '0.5'],
    ]);
  });

  test('an order that is accepted but not yet matched is not filled as if it rested', () => {
    const { exchange } = anExchange();
    exchange.accept(anOrder({ quantity: decimal('1'), limitPrice: decimal('105') }));
    tradeAt(exchange, '104', '1', 'BUY');
    expect(exchange.books.order(1).status).toBe('NEW');
    exchange.match(1);
    expect(exchange.books.order(1)).toMatchObject({ status: 'FILLED', filledQuote: '104' });
  });

  test('a market order buys no more than it locked, though the price rose before its match', () => {
    const { exchange } = anExchange();
    exchange.accept(anOrder({ quantity: decimal('2') }));
    tradeAt(exchange, '150', '1', 'BUY');
    exchange.match(1);
    expect(exchange.books.order(1)).toMatchObject({ status: 'EXPIRED', filledQuantity: '1', filledQuote: '150' });
    expect(moneyOf(exchange)).toMatchObject({ USDT: ['9850', '0'] });
  });

  test('an order that was canceled before its match stays canceled', () => {
    const { exchange } = anExchange();
    exchange.accept(anOrder({ quantity: decimal('1') }));
    exchange.cancel(1, 'x');
    expect(exchange.match(1)).toEqual([]);
    expect(exchange.books.order(1)).toMatchObject({ status: 'CANCELED', filledQuantity: '0' });
  });

  test('a cancel gives back what was locked', () => {
    const { exchange } = anExchange();
    exchange.place(anOrder({ quantity: decimal('2'), limitPrice: decimal('98') }));
    expect(moneyOf(exchange)).toMatchObject({ USDT: ['9804', '196'] });
    expect(exchange.cancel(1, 'x')).toMatchObject({ status: 'CANCELED', locked: '0' });
    expect(moneyOf(exchange)).toMatchObject({ USDT: ['10000', '0'] });
  });
});

describe('refusals', () => {
  const resting = anOrder({ quantity: decimal('1'), limitPrice: decimal('90') });

  test.each([
    {
      name: 'too little quote',
      order: anOrder({ clientOrderId: 'b', quantity: decimal('120') }),
      code: -2010,
      message: 'Account has insufficient balance for requested action.',
    },
    {
      name: 'too little base',
      order: anOrder({ clientOrderId: 'b', side: 'SELL', quantity: decimal('10.001') }),
      code: -2010,
      message: 'Account has insufficient balance for requested action.',
    },
    { name: 'an id that is open', order: resting, code: -2010, message: 'Duplicate order sent.' },
    {
      name: 'a maker that would take',
      order: anOrder({ clientOrderId: 'm', type: 'LIMIT_MAKER', quantity: decimal('1'), limitPrice: decimal('101') }),
      code: -2010,
      message: 'Order would immediately match and take.',
    },
    {
      name: 'a price off the tick',
      order: anOrder({ quantity: decimal('1'), limitPrice: decimal('90.5') }),
      code: -1013,
      message: 'Filter failure: PRICE_FILTER',
    },
    {
      name: 'a price below the least',
      order: anOrder({ quantity: decimal('1'), limitPrice: decimal('0') }),
      code: -1013,
      message: 'Filter failure: PRICE_FILTER',
    },
    {
      name: 'a quantity off the step',
      order: anOrder({ quantity: decimal('1.0005') }),
      code: -1013,
      message: 'Filter failure: LOT_SIZE',
    },
    {
      name: 'a market order above its own maximum',
      order: anOrder({ quantity: decimal('101') }),
      code: -1013,
      message: 'Filter failure: MARKET_LOT_SIZE',
    },
    {
      name: 'a limit order of too little worth',
      order: anOrder({ quantity: decimal('0.05'), limitPrice: decimal('99') }),
      code: -1013,
      message: 'Filter failure: NOTIONAL',
    },
    {
      name: 'a market order of too little worth',
      order: anOrder({ quantity: decimal('0.049') }),
      code: -1013,
      message: 'Filter failure: NOTIONAL',
    },
    {
      name: 'a market that is closed',
      order: anOrder({ quantity: decimal('1') }),
      rules: { status: 'HALT' as const },
      code: -2010,
      message: 'Market is closed.',
    },
    {
      name: 'one order too many',
      order: anOrder({ clientOrderId: 'n', quantity: decimal('1'), limitPrice: decimal('90') }),
      rules: { ordersMax: 1 },
      code: -1013,
      message: 'Filter failure: MAX_NUM_ORDERS',
    },
  ])('$name', ({ order, code, message, rules }) => {
    const { exchange, ledger } = anExchange();
    exchange.place(resting);
    const venue = exchange.venue('BTCUSDT');
    venue.market = {
      ...venue.market,
      marketQuantityMax: order.quantity === '120' ? decimal('1000') : decimal('100'),
      levelsMax: 200,
      ...rules,
    };
    const hash = ledger.hash();
    const placement = exchange.place(order);
    expect(placement).toMatchObject({ outcome: 'refused', refusal: { code, message } });
    expect(ledger.hash()).toBe(hash);
  });

  test('an id is free again once its order is closed, and then names the new one', () => {
    const { exchange } = anExchange();
    exchange.place(anOrder({ quantity: decimal('1') }));
    expect(exchange.place(anOrder({ quantity: decimal('2') }))).toMatchObject({
      outcome: 'accepted',
      order: { orderId: 2 },
    });
    expect(exchange.books.findByClientId('BTCUSDT', 'c1')).toMatchObject({ orderId: 2, quantity: '2' });
  });
});

describe('events', () => {
  test('come in the order in which things happened, balances last, executions numbered', () => {
    const { exchange } = anExchange();
    const events: ExchangeEvent[] = [];
    exchange.onEvent((event) => events.push(event));
    exchange.place(anOrder({ quantity: decimal('1.5') }));
    const told = events.map((event) =>
      event.type === 'execution' ? `${event.execution} ${event.executionId} ${event.order.status}` : event.type,
    );
    expect(told).toEqual(['NEW 1 NEW', 'trade', 'trade', 'TRADE 2 PARTIALLY_FILLED', 'TRADE 3 FILLED', 'balances']);
  });

  test("the account's own fills are trades of the market, and ids stay contiguous", () => {
    const { exchange } = anExchange();
    exchange.place(anOrder({ quantity: decimal('1.5') }));
    tradeAt(exchange, '103');
    const prints = exchange.venue('BTCUSDT').tape.from(1, 10);
    expect(prints.map(({ tradeId }) => tradeId)).toEqual([1, 2, 3, 4]);
    expect(exchange.books.fills.map(({ tradeId }) => tradeId)).toEqual([2, 3]);
  });
});

// What a random client and a random market may do.
const command = fc.oneof(
  fc.record({
    do: fc.constant('trade' as const),
    price: fc.integer({ min: 80, max: 120 }),
    thousandths: fc.integer({ min: 1, max: 3_000 }),
  }),
  fc.record({
    do: fc.constant('place' as const),
    side: fc.constantFrom('BUY' as const, 'SELL' as const),
    limit: fc.option(fc.integer({ min: 80, max: 120 })),
    timeInForce: fc.constantFrom('GTC' as const, 'IOC' as const, 'FOK' as const),
    thousandths: fc.integer({ min: 1, max: 12_000 }),
    stop: fc.option(fc.integer({ min: 80, max: 120 })),
    isLoss: fc.boolean(),
    preventionMode: fc.constantFrom('EXPIRE_MAKER' as const, 'EXPIRE_TAKER' as const, 'EXPIRE_BOTH' as const),
  }),
  fc.record({ do: fc.constant('fill' as const), pick: fc.nat(20), thousandths: fc.integer({ min: 1, max: 3_000 }) }),
  fc.record({ do: fc.constant('cancel' as const), pick: fc.nat(20) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(5_000) }),
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

function perform({ exchange, clock }: ReturnType<typeof anExchange>, commands: readonly Command[]): void {
  for (const [index, each] of commands.entries()) {
    if (each.do === 'trade') tradeAt(exchange, String(each.price), String(each.thousandths / 1_000));
    if (each.do === 'wait') clock.shift(each.ms);
    if (each.do === 'cancel' || each.do === 'fill') {
      const orders = [...exchange.books.openOrders.keys()];
      const orderId = orders[each.pick % Math.max(1, orders.length)];
      if (orderId !== undefined && each.do === 'cancel') exchange.cancel(orderId, `x${index}`);
      if (orderId !== undefined && each.do === 'fill')
        exchange.fill(orderId, decimal(String(each.thousandths / 1_000)));
    }
    if (each.do === 'place') {
      const { side, limit, timeInForce, preventionMode } = each;
      const quantity = decimal(String(each.thousandths / 1_000));
      const terms = limit === null ? {} : { limitPrice: decimal(String(limit)), timeInForce };
      const order = { clientOrderId: `c${index % 7}`, side, quantity, preventionMode, ...terms, ...stopOf(each) };
      exchange.place(anOrder(order));
    }
  }
}

function stopOf({ stop, limit, isLoss }: Extract<Command, { do: 'place' }>): Partial<OrderCommand> {
  if (stop === null) return {};
  const kind = isLoss ? 'STOP_LOSS' : 'TAKE_PROFIT';
  return { stopPrice: decimal(String(stop)), type: limit === null ? kind : `${kind}_LIMIT` };
}

const paidIn = fc.constantFrom('received' as const, 'quote' as const, 'third' as const);

describe('whatever happens', () => {
  test('no balance is negative, and money is neither made nor lost', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), paidIn, (commands, payer) => {
        // Enough of the third asset for some of the fees, not for all.
        const deposits = { USDT: '10000', BTC: '10', BNB: '0.002' };
        const venue = anExchange({ fees: { ...fees, paidIn: payer }, deposits });
        perform(venue, commands);
        const { books } = venue.exchange;
        for (const { free, locked } of books.balances()) {
          expect(isNegative(free) || isNegative(locked)).toBe(false);
        }
        const signed = (side: 'BUY' | 'SELL', quantity: Decimal) => (side === 'BUY' ? quantity : negate(quantity));
        const feesIn = (asset: string) =>
          sum(books.fills.filter((fill) => fill.feeAsset === asset).map(({ fee }) => fee));
        const base = sum(books.fills.map((fill) => signed(fill.side, fill.quantity)));
        const quote = sum(books.fills.map((fill) => negate(signed(fill.side, fill.quoteQuantity))));
        const total = (asset: string) => add(books.balance(asset).free, books.balance(asset).locked);
        expect(total('BTC')).toBe(subtract(add(decimal('10'), base), feesIn('BTC')));
        expect(total('USDT')).toBe(subtract(add(decimal('10000'), quote), feesIn('USDT')));
        expect(total('BNB')).toBe(subtract(decimal('0.002'), feesIn('BNB')));
      }),
    );
  });

  test('what is locked is what the open orders hold, and closed orders hold nothing', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        const venue = anExchange();
        perform(venue, commands);
        const { books } = venue.exchange;
        for (const asset of ['BTC', 'USDT']) {
          const held = [...books.openOrders.values()]
            .filter(({ lock }) => lock.asset === asset)
            .map(({ locked }) => locked);
          expect(books.balance(asset).locked).toBe(sum(held));
        }
        for (const order of books.orders.values()) {
          const isOpen = order.status === 'NEW' || order.status === 'PARTIALLY_FILLED';
          expect(books.openOrders.has(order.orderId)).toBe(isOpen);
          if (!isOpen) expect(order.locked).toBe('0');
          if (order.workingAtMs === null) expect(order.filledQuantity).toBe('0');
          expect(sum(books.fillsOf(order.orderId).map(({ quantity }) => quantity))).toBe(order.filledQuantity);
        }
      }),
    );
  });

  test('the same commands give the same ledger, and the ledger alone gives the same books', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const [one, other] = [anExchange(), anExchange()];
        perform(one, commands);
        perform(other, commands);
        expect(other.ledger.hash()).toBe(one.ledger.hash());
        const again = createExchange({
          markets: [{ market, tape: memoryTape() }],
          ledger: one.ledger,
          clock: one.clock,
          fees,
        });
        expect(again.books.balances()).toEqual(one.exchange.books.balances());
        expect([...again.books.orders.values()]).toEqual([...one.exchange.books.orders.values()]);
      }),
    );
  });
});
