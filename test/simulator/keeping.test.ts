import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import { createBooks } from '../../src/simulator/exchange/books.ts';
import { type LedgerEntry, openLedger } from '../../src/simulator/exchange/ledger.ts';
import { fileTape, memoryTape, type Print, type Tape } from '../../src/simulator/exchange/tape.ts';
import { tradesHeader } from '../../src/simulator/prices/price-rows.ts';
import { type PriceOptions, startSimulator } from '../../src/simulator/server.ts';
import { clientOf } from './venue-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'ratchet-keeping-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const aPath = (): string => {
  files += 1;
  return join(folder, `file-${files}`);
};

const deposit = (change: string): LedgerEntry => ({
  kind: 'balance',
  asset: 'USDT',
  change: decimal(change),
  reason: 'deposit',
  changedAtMs: 1,
});

const aPrint = (tradeId: number): Print => ({
  tradeId,
  price: decimal(`${100 + (tradeId % 7)}.5`),
  quantity: decimal('0.25'),
  buyerIsMaker: tradeId % 2 === 0,
  tradedAtMs: 1_000 + tradeId,
});
const prints = (from: number, count: number): Print[] =>
  Array.from({ length: count }, (_, index) => aPrint(from + index));

describe('the ledger file', () => {
  test('opens as it was left, with the same hash, and goes on', () => {
    const path = aPath();
    const ledger = openLedger(path);
    for (const change of ['1', '2']) ledger.append([deposit(change)], true);
    ledger.close();
    const again = openLedger(path);
    expect(again.groups).toEqual(ledger.groups);
    expect(again.hash()).toBe(ledger.hash());
    again.append([deposit('3')], false);
    expect(again.groups.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    again.close();
  });

  test('a group that was cut off anywhere is dropped as a whole, and what came before stays', () => {
    const path = aPath();
    const ledger = openLedger(path);
    ledger.append([deposit('1')], true);
    const whole = readFileSync(path).length;
    ledger.append([deposit('2'), deposit('3')], true);
    ledger.close();
    const end = readFileSync(path).length;
    const bytes = readFileSync(path);
    for (let length = whole; length < end; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      const again = openLedger(path);
      expect(again.groups.map(({ seq }) => seq)).toEqual([1]);
      again.append([deposit('4')], false);
      again.close();
      expect(openLedger(path).groups).toHaveLength(2);
    }
  });

  test('a line in the middle that is damaged or missing is refused', () => {
    const path = aPath();
    const ledger = openLedger(path);
    for (const change of ['1', '2', '3']) ledger.append([deposit(change)], true);
    ledger.close();
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const damaged of [
      [lines[0], '{"seq":2,', lines[2], ''],
      [lines[0], lines[2], ''],
    ]) {
      writeFileSync(path, damaged.join('\n'));
      expect(() => openLedger(path)).toThrow(
        expect.objectContaining({ code: 'PAPER_LEDGER_DAMAGED', context: { file: path, line: 2 } }),
      );
    }
  });
});

describe('the tape', () => {
  test('in a file answers like one in memory, before and after it is opened again', () => {
    const batch = fc.integer({ min: 1, max: 900 });
    const query = fc.record({ fromId: fc.integer({ min: 0, max: 12_000 }), limit: fc.integer({ min: 1, max: 1_000 }) });
    fc.assert(
      fc.property(
        fc.array(batch, { maxLength: 15 }),
        fc.array(query, { minLength: 5, maxLength: 20 }),
        (batches, queries) => {
          const path = aPath();
          const [file, memory] = [fileTape(path), memoryTape()];
          let next = 1;
          for (const [index, count] of batches.entries()) {
            const position = { market: 1, playedRows: index };
            for (const tape of [file, memory]) tape.append(prints(next, count), position);
            next += count;
          }
          const answers = (tape: Tape) => [
            tape.lastTradeId,
            tape.position,
            tape.latest(500),
            ...queries.map(({ fromId, limit }) => tape.from(fromId, limit)),
          ];
          const expected = answers(memory);
          expect(answers(file)).toEqual(expected);
          file.close();
          const again = fileTape(path);
          expect(answers(again)).toEqual(expected);
          again.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('finds old trades in its file, at the marks of its index and beside them', () => {
    const path = aPath();
    const all = prints(1, 12_000);
    const tape = fileTape(path);
    for (let from = 0; from < all.length; from += 1_000) tape.append(all.slice(from, from + 1_000));
    const edges = [0, 1, 2, 1_024, 1_025, 1_026, 2_049, 3_073, 3_074].flatMap((id) => [id, id + 1_024]);
    for (const opened of [tape, fileTape(path)]) {
      for (const id of edges)
        expect(opened.from(id, 700)).toEqual(all.slice(Math.max(0, id - 1), Math.max(0, id - 1) + 700));
      opened.close();
    }
  });

  test('a line that was cut off anywhere is dropped, and its id is given again', () => {
    const path = aPath();
    const tape = fileTape(path);
    tape.append(prints(1, 3));
    tape.close();
    const bytes = readFileSync(path);
    const wholeTwo = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
    for (let length = wholeTwo; length < bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      const again = fileTape(path);
      // Without its end of line alone, the line is whole.
      const kept = length === bytes.length - 1 ? 3 : 2;
      expect(again.lastTradeId).toBe(kept);
      again.append([aPrint(kept + 1)]);
      again.close();
      const third = fileTape(path);
      expect(third.from(1, 10)).toEqual(prints(1, kept + 1));
      third.close();
    }
  });

  test('a gap or a line that is none is refused', () => {
    const path = aPath();
    const tape = fileTape(path);
    tape.append(prints(1, 2));
    tape.close();
    appendFileSync(path, '4,1,1,1,0,1,1;\n5,1,1,1,0,1,1;\n');
    expect(() => fileTape(path)).toThrow(expect.objectContaining({ code: 'PAPER_LEDGER_DAMAGED' }));
  });
});

describe('a venue that is started again', () => {
  const venues: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(venues.splice(0).map((venue) => venue.close()));
  });

  const fileOf = (prices: readonly string[], name = 'btc-usdt-trades.csv'): string => {
    const path = join(mkdtempSync(join(folder, 'prices-')), name);
    const rows = prices.map((price, index) => `${1_000 + index * 1_000},${index},buy,${price},10`);
    writeFileSync(path, [tradesHeader, ...rows, ''].join('\n'));
    return path;
  };

  async function start(dataFolder: string, prices: PriceOptions) {
    const venue = await startSimulator({ ...prices, dataFolder, virtualClockAtMs: 1_000_000 });
    venues.push(venue);
    return venue;
  }
  const aFolder = () => mkdtempSync(join(folder, 'data-'));
  const file = (path: string): PriceOptions => ({ replay: 'file', path });

  test('goes on where it stood: account, orders, ids, quotes and prices', async () => {
    const [data, prices] = [aFolder(), file(fileOf(['100', '101', '102', '103']))];
    const before = await start(data, prices);
    before.clock.shift(1_000);
    const client = clientOf(before);
    await client.buy('1', { newClientOrderId: 'filled' });
    await client.limit('BUY', '1', '90', { newClientOrderId: 'open' });
    const { books } = before.exchange;
    const [orders, balances] = [[...books.orders.values()], books.balances()];
    await before.close();

    const after = await start(data, prices);
    expect([...after.exchange.books.orders.values()]).toEqual(orders);
    expect(after.exchange.books.balances()).toEqual(balances);
    expect(after.exchange.venue('BTCUSDT').quotes).toMatchObject({ ask: '101', last: '101' });
    const trades = await clientOf(after).get('/api/v3/historicalTrades', { symbol: 'BTCUSDT', fromId: 1 });
    expect(trades.body.map(({ id, price }: { id: number; price: string }) => [id, Number(price)])).toEqual([
      [1, 100],
      [2, 101],
      [3, 101],
    ]);
    after.clock.shift(0);
    expect(after.exchange.venue('BTCUSDT').tape.latest(1)).toMatchObject([{ tradeId: 4, price: '102' }]);
    expect((await clientOf(after).buy('1')).body).toMatchObject({ orderId: 3, fills: [{ tradeId: 5 }] });
  });

  test('remembers stops that wait, fees, prevented matches, edited fills and archived orders', async () => {
    const dataFolder = aPath();
    const deposits = { USDT: '100000', BTC: '1', BNB: '1' };
    const open = () => startSimulator({ replay: 'manual', dataFolder, deposits, fees: { paidIn: 'third' } });
    const before = await open();
    const client = clientOf(before);
    before.tick({ price: '46000' });
    await client.order({
      side: 'SELL',
      type: 'STOP_LOSS',
      stopPrice: '45000',
      quantity: '0.1',
      newClientOrderId: 'stop',
    });
    await client.limit('SELL', '0.1', '46000', { newClientOrderId: 'met' });
    await client.buy('0.1', { newClientOrderId: 'taker' });
    await client.limit('BUY', '0.1', '40000', { newClientOrderId: 'old' });
    await client.cancel({ origClientOrderId: 'old' });
    const { exchange } = before;
    const [fill] = exchange.books.fills;
    if (fill) exchange.editFill(fill, { price: decimal('1') });
    exchange.archive(4);
    await before.close();

    const after = await open();
    const { books } = after.exchange;
    expect(books.balances()).toEqual(exchange.books.balances());
    expect([...books.orders.values()]).toEqual([...exchange.books.orders.values()]);
    expect(books.order(2)).toMatchObject({ status: 'EXPIRED_IN_MATCH', prevented: { takerOrderId: 3 } });
    expect(fill && books.told(fill)).toMatchObject({ price: '1', feeAsset: 'BNB' });
    expect((await clientOf(after).find({ orderId: 4 })).body.code).toBe(-2026);
    after.tick({ price: '44000', aggressor: 'SELL' });
    expect(books.order(1)).toMatchObject({ status: 'FILLED' });
    await after.close();
  });

  test('reads orders of a ledger from before there were stops', () => {
    const ledger = openLedger(null);
    const [usdt, btc] = [decimal('500'), decimal('0.01')];
    const old = {
      kind: 'order',
      orderId: 1,
      clientOrderId: 'old',
      symbol: 'BTCUSDT',
      baseAsset: 'BTC',
      quoteAsset: 'USDT',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: btc,
      limitPrice: decimal('40000'),
      lock: { asset: 'USDT', quantity: decimal('400') },
      origin: 'api',
      requestId: 1,
      receivedAtMs: 5,
      acceptedAtMs: 5,
    } as unknown as LedgerEntry;
    ledger.append([deposit(usdt), old], true);
    const books = createBooks();
    for (const entry of ledger.groups.flatMap(({ entries }) => entries)) books.apply(entry);
    expect(books.order(1)).toMatchObject({ stopPrice: null, workingAtMs: 5, feeIn: 'received', status: 'NEW' });
  });

  test('after the last price, fills at it, and says that the prices have ended', async () => {
    const [data, prices] = [aFolder(), file(fileOf(['100', '101']))];
    const before = await start(data, prices);
    before.clock.shift(1_000);
    await before.close();
    const after = await start(data, prices);
    const state = await (await fetch(`${after.controlUrl}/__sim/state`)).json();
    expect(state).toMatchObject({ pricesEnded: true, replay: { playedRows: 2 } });
    expect((await clientOf(after).buy('1')).body).toMatchObject({
      status: 'FILLED',
      cummulativeQuoteQty: '101.00000000',
    });
  });

  test("shows the book that the market left, which the account's own fills do not move", async () => {
    const [data, prices] = [aFolder(), file(fileOf(['100', '101', '102']))];
    const before = await start(data, prices);
    before.clock.shift(1_000);
    // A level holds 500: the rest fills a tick above.
    expect((await clientOf(before).buy('600')).body.fills).toHaveLength(2);
    const { quotes } = before.exchange.venue('BTCUSDT');
    expect(quotes).toEqual({ bid: '99', ask: '101', last: '101' });
    await before.close();
    expect((await start(data, prices)).exchange.venue('BTCUSDT').quotes).toEqual(quotes);
  });

  test.each([
    { name: 'an order is open', open: (client: ReturnType<typeof clientOf>) => client.limit('BUY', '1', '90') },
    { name: 'a position is held', open: (client: ReturnType<typeof clientOf>) => client.buy('2') },
  ])('with other prices is refused while $name', async ({ open }) => {
    const data = aFolder();
    const before = await start(data, file(fileOf(['100', '101'])));
    before.clock.shift(0);
    await open(clientOf(before));
    await before.close();
    const other = start(data, file(fileOf(['100', '102'])));
    await expect(other).rejects.toMatchObject({ code: 'PAPER_PRICES_CHANGED' });
  });

  test('with other prices begins a new account, and ids go on', async () => {
    const data = aFolder();
    const before = await start(data, file(fileOf(['100', '101'])));
    before.clock.shift(0);
    const client = clientOf(before);
    // The fee leaves dust, which nobody can sell.
    await client.buy('1');
    await client.signed('POST', '/api/v3/order', { symbol: 'BTCUSDT', side: 'SELL', type: 'MARKET', quantity: '1' });
    await client.limit('SELL', '1', '200');
    await before.close();

    const after = await start(data, file(fileOf(['0.5', '0.6'], 'btc-eth-trades.csv')));
    const { books } = after.exchange;
    expect(books.balances()).toEqual([
      { asset: 'USDT', free: '0', locked: '0' },
      { asset: 'BTC', free: '0', locked: '0' },
      { asset: 'ETH', free: '50', locked: '0' },
    ]);
    after.clock.shift(0);
    const bought = await clientOf(after).signed('POST', '/api/v3/order', {
      symbol: 'BTCETH',
      side: 'BUY',
      type: 'MARKET',
      quantity: '1',
    });
    expect(bought.body.orderId).toBeGreaterThan(1);
    await after.close();

    // The same symbol from other prices: the tape goes on from the first trade of the new file.
    const again = await start(data, file(fileOf(['300', '301'])));
    again.clock.shift(0);
    expect(again.exchange.venue('BTCUSDT').tape.latest(1)).toMatchObject([{ price: '300' }]);
    expect(again.exchange.venue('BTCUSDT').tape.lastTradeId).toBeGreaterThan(2);
  });

  test('after a loss of power that took the end of the tape, gives no id twice', async () => {
    const [data, prices] = [aFolder(), file(fileOf(['100', '101', '102']))];
    const before = await start(data, prices);
    before.clock.shift(1_000);
    const { body } = await clientOf(before).buy('1');
    await before.close();
    const tape = join(data, 'trades-BTCUSDT.csv');
    truncateSync(tape, readFileSync(tape, 'utf8').indexOf('\n') + 1);

    const after = await start(data, prices);
    const told = after.exchange
      .venue('BTCUSDT')
      .tape.from(1, 10)
      .map(({ tradeId, price }) => [tradeId, price]);
    expect(told).toEqual([
      [1, '100'],
      [2, '100'],
      [3, '101'],
    ]);
    expect(body.fills[0].tradeId).toBe(3);
  });
});
