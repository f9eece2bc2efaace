import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decimal, isLess, isPositive, roundToStep } from '../../src/domain/decimal.ts';
import { virtualClock } from '../../src/simulator/clock.ts';
import { linesOf } from '../../src/simulator/prices/csv.ts';
import { generatedPrices } from '../../src/simulator/prices/generator.ts';
import { openPriceFile } from '../../src/simulator/prices/price-file.ts';
import { candlesHeader, type PriceRow, tradesHeader } from '../../src/simulator/prices/price-rows.ts';
import type { PriceSource } from '../../src/simulator/prices/price-source.ts';
import { startReplay } from '../../src/simulator/prices/replay.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { control } from './venue-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'ratchet-prices-'));
afterAll(() => rmSync(folder, { recursive: true }));

function aFile(lines: readonly string[], name = 'eth-usdt-trades-2023.csv', end = '\n'): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => line + end).join(''));
  return path;
}

const take = (source: PriceSource, count: number, from = 0): PriceRow[] => {
  const rows: PriceRow[] = [];
  for (const row of source.rows(from)) {
    if (rows.length === count) break;
    rows.push(row);
  }
  return rows;
};

const trades = [
  tradesHeader,
  '1675329600138,1206419187,buy,1666.8,26.062',
  '1675329600214,1206419188,sell,1666.79,0.152',
  '1675329600214,1206419189,buy,1666.80,0.2',
];

describe('lines', () => {
  test.each([
    { name: 'with an end', text: 'a\nb\n', lines: ['a', 'b'] },
    { name: 'without one', text: 'a\nb', lines: ['a', 'b'] },
    { name: 'of another system', text: 'a\r\nb\r\n', lines: ['a', 'b'] },
    { name: 'of nothing', text: '', lines: [] },
    { name: 'longer than a chunk', text: `${'x'.repeat(70_000)}\ny`, lines: ['x'.repeat(70_000), 'y'] },
    {
      name: 'with a character across two chunks',
      text: `${'x'.repeat(65_535)}é\ny`,
      lines: [`${'x'.repeat(65_535)}é`, 'y'],
    },
  ])('$name', ({ text, lines }) => {
    const path = join(folder, 'lines.txt');
    writeFileSync(path, text);
    expect([...linesOf(path)]).toEqual(lines);
  });
});

describe('a file of trades', () => {
  test('says its symbol, its ticks and its steps', () => {
    const { traits, saysSides } = openPriceFile({ path: aFile(trades) });
    expect(traits).toEqual({ symbol: 'ETH/USDT', tickSize: '0.01', stepSize: '0.001', tradeQuantity: '0.2' });
    expect(saysSides).toBe(true);
  });

  test('gives its trades as they are, from any of them on', () => {
    const source = openPriceFile({ path: aFile(trades) });
    expect(take(source, 9)).toEqual([
      { atMs: 1675329600138, price: '1666.8', quantity: '26.062', aggressor: 'BUY' },
      { atMs: 1675329600214, price: '1666.79', quantity: '0.152', aggressor: 'SELL' },
      { atMs: 1675329600214, price: '1666.8', quantity: '0.2', aggressor: 'BUY' },
    ]);
    expect(take(source, 9, 2)).toEqual(take(source, 9).slice(2));
  });

  test.each([
    { name: 'too few columns', line: '1675329600300,1,buy,1666.8', fault: 'it has 4 columns, not 5' },
    { name: 'a time in text', line: 'noon,1,buy,1666.8,1', fault: 'its time is not in milliseconds' },
    { name: 'a side of its own', line: '1675329600300,1,long,1666.8,1', fault: 'its side is neither buy nor sell' },
    {
      name: 'no number for a price',
      line: '1675329600300,1,buy,NaN,1',
      fault: 'its price or quantity is no number above zero',
    },
    {
      name: 'a price of zero',
      line: '1675329600300,1,buy,0,1',
      fault: 'its price or quantity is no number above zero',
    },
    {
      name: 'a negative quantity',
      line: '1675329600300,1,buy,1,-1',
      fault: 'its price or quantity is no number above zero',
    },
    { name: 'an exponent', line: '1675329600300,1,buy,1e3,1', fault: 'its price or quantity is no number above zero' },
    { name: 'an older time', line: '1675329600213,1,buy,1,1', fault: 'it is older than the line before' },
  ])('$name is skipped, counted and named with its line', ({ line, fault }) => {
    const source = openPriceFile({ path: aFile([...trades, line, '1675329600400,9,sell,1666.7,1']) });
    expect(source.badLines).toEqual({ count: 1, first: [{ line: 5, fault }] });
    expect(take(source, 9)).toHaveLength(4);
  });

  test('is the same for the same content, whatever it is called, and another for another symbol', () => {
    const fingerprint = (options: Parameters<typeof openPriceFile>[0]) => openPriceFile(options).fingerprint;
    const one = fingerprint({ path: aFile(trades) });
    expect(fingerprint({ path: aFile(trades, 'eth-usdt-copy.csv') })).toBe(one);
    expect(fingerprint({ path: aFile(trades), symbol: 'ETH/EUR' })).not.toBe(one);
    expect(fingerprint({ path: aFile(trades.slice(0, -1)) })).not.toBe(one);
  });
});

describe('a file of candles', () => {
  const candles = [
    candlesHeader,
    '2021-12-31 23:01:00.000000,46319.0,46385.0,46310.5,46377.0,8',
    '2021-12-31 23:02:00.000000,46377.0,46411.0,46377.0,46411.0,0.5',
  ];

  test('is played as open, low, high, close, a quarter of the volume each, spread over its minute', () => {
    const source = openPriceFile({ path: aFile(candles, 'btc-usdt-1m.csv') });
    expect(source.traits).toMatchObject({ symbol: 'BTC/USDT', tickSize: '0.1', stepSize: '0.1' });
    const startMs = Date.UTC(2021, 11, 31, 23, 1);
    expect(take(source, 4)).toEqual(
      ['46319', '46310.5', '46385', '46377'].map((price, index) => ({
        atMs: startMs + index * 15_000,
        price,
        quantity: '2',
        aggressor: null,
      })),
    );
    expect(take(source, 9)).toHaveLength(8);
  });

  test('in quote units has a step that is worth a tenth of the smallest order', () => {
    const path = aFile(
      [candlesHeader, '2021-12-31 23:01:00,46319.0,46385.0,46319.0,46377.0,2300413.7295'],
      'btc-perp-1m.csv',
    );
    const source = openPriceFile({ path });
    expect(source.traits).toMatchObject({ symbol: 'BTC/USDT', stepSize: '0.00001' });
    // 2,300,413.7295 / 4 / 46,377 = 12.40061…
    expect(take(source, 1)[0]?.quantity).toBe('12.40061');
    expect(openPriceFile({ path, volumeUnit: 'base' }).traits.stepSize).toBe('0.0001');
  });

  test('without volume still has prices', () => {
    const source = openPriceFile({
      path: aFile([candlesHeader, '2022-01-01 00:00:00,10,12,9,11,0.00'], 'btc-usdt-1m.csv'),
    });
    expect(take(source, 1)).toMatchObject([{ price: '10', quantity: '1' }]);
  });

  test.each([
    { line: '2022-01-01 00:00:00,10,12,9,11', fault: 'it has 5 columns, not 6' },
    { line: 'today,10,12,9,11,1', fault: 'its time is not of the form YYYY-MM-DD HH:MM:SS' },
    { line: '2022-13-45 00:00:00,10,12,9,11,1', fault: 'its time is not of the form YYYY-MM-DD HH:MM:SS' },
    { line: '2022-01-01 00:00:00,10,12,,11,1', fault: 'a price is no number above zero' },
    { line: '2022-01-01 00:00:00,10,9,12,11,1', fault: 'its prices are not within its high and low' },
    { line: '2022-01-01 00:00:00,13,12,9,11,1', fault: 'its prices are not within its high and low' },
    { line: '2022-01-01 00:00:00,10,12,9,11,-1', fault: 'its volume is no number from zero' },
    { line: '2021-12-31 23:02:00.000000,10,12,9,11,1', fault: 'it has the time of the line before' },
  ])('$line is skipped: $fault', ({ line, fault }) => {
    const source = openPriceFile({ path: aFile([...candles, line], 'btc-usdt-1m.csv') });
    expect(source.badLines).toEqual({ count: 1, first: [{ line: 4, fault }] });
    expect(take(source, 99)).toHaveLength(8);
  });
});

describe('a file that cannot be played is refused before anything starts', () => {
  test.each([
    {
      name: 'not there',
      path: () => join(folder, 'eth-usdt-none.csv'),
      code: 'PAPER_PRICES_UNREADABLE',
      says: 'ENOENT',
    },
    { name: 'a folder', path: () => folder, symbol: 'ETH/USDT', code: 'PAPER_PRICES_UNREADABLE', says: 'EISDIR' },
    { name: 'empty', path: () => aFile([]), code: 'PAPER_PRICES_INVALID', says: 'it is empty' },
    {
      name: 'of other columns',
      path: () => aFile(['time,price', '1,2']),
      code: 'PAPER_PRICES_INVALID',
      says: 'its first line is "time,price"',
    },
    {
      name: 'a header alone',
      path: () => aFile([tradesHeader]),
      code: 'PAPER_PRICES_INVALID',
      says: 'none of its lines holds a price',
    },
    {
      name: 'of bad lines alone',
      path: () => aFile([tradesHeader, 'x', 'y']),
      code: 'PAPER_PRICES_INVALID',
      says: 'none of its lines',
    },
    {
      name: 'without a symbol',
      path: () => aFile(trades, 'prices.csv'),
      code: 'PAPER_PRICES_INVALID',
      says: 'its name says no symbol',
    },
  ])('$name', ({ path, symbol, code, says }) => {
    const open = () => openPriceFile({ path: path(), ...(symbol === undefined ? {} : { symbol }) });
    expect(open).toThrow(expect.objectContaining({ code }));
    expect(open).toThrow(says);
  });

  test.each([
    { name: 'eth-usdt-trades-2023-02-02.csv', symbol: 'ETH/USDT' },
    { name: 'btc-perp-1m-2022-01.csv', symbol: 'BTC/USDT' },
    { name: 'xrp-eth-trades-2019-10.csv', symbol: 'XRP/ETH' },
  ])('but $name says it is $symbol', ({ name, symbol }) => {
    expect(openPriceFile({ path: aFile(trades, name) }).traits.symbol).toBe(symbol);
  });
});

describe('generated prices', () => {
  test('are the same for a seed, others for another, and go on from anywhere', () => {
    const rows = take(generatedPrices({ seed: 7, symbol: 'BTC/USDT' }), 3_000);
    expect(take(generatedPrices({ seed: 7, symbol: 'BTC/USDT' }), 3_000)).toEqual(rows);
    expect(take(generatedPrices({ seed: 7, symbol: 'BTC/USDT' }), 100, 2_900)).toEqual(rows.slice(2_900));
    expect(take(generatedPrices({ seed: 8, symbol: 'BTC/USDT' }), 10)).not.toEqual(rows.slice(0, 10));
  });

  test('are on their ticks and steps, a few a second, and never stray far from home', () => {
    const source = generatedPrices({ seed: 3, symbol: 'BTC/USDT' });
    const rows = take(source, 40_000);
    const { tickSize, stepSize } = source.traits;
    const isPlausible = ({ price, quantity }: PriceRow): boolean =>
      roundToStep(price, tickSize, 'floor') === price &&
      roundToStep(quantity, stepSize, 'floor') === quantity &&
      isPositive(quantity) &&
      isLess(decimal('30000'), price) &&
      isLess(price, decimal('62000'));
    expect(rows.filter((row) => !isPlausible(row))).toEqual([]);
    const seconds = ((rows.at(-1)?.atMs ?? 0) - (rows[0]?.atMs ?? 0)) / 1_000;
    expect(rows.length / seconds).toBeGreaterThan(2);
    expect(rows.length / seconds).toBeLessThan(4);
  });
});

describe('replay', () => {
  const source = (...atMs: readonly number[]): PriceSource => ({
    name: 'test',
    fingerprint: 'test',
    traits: { symbol: 'BTC/USDT', tickSize: decimal('1'), stepSize: decimal('1'), tradeQuantity: decimal('1') },
    saysSides: true,
    badLines: { count: 0, first: [] },
    rows: (from) =>
      atMs.slice(from).map((each) => ({ atMs: each, price: decimal('1'), quantity: decimal('1'), aggressor: 'BUY' })),
  });

  function aReplay(options: { atMs: readonly number[]; speed?: number; playedRows?: number }) {
    const clock = virtualClock(1_000_000);
    const played: string[] = [];
    const replay = startReplay({
      source: source(...options.atMs),
      clock,
      speed: options.speed ?? 1,
      playedRows: options.playedRows ?? 0,
      play: (row, playedRows) => played.push(`${row.atMs}/${playedRows} at ${clock.nowMs() - 1_000_000}`),
      onQuiet: () => played.push(`quiet at ${clock.nowMs() - 1_000_000}`),
    });
    return { clock, played, replay };
  }

  test("keeps the source's own intervals", () => {
    const { clock, played } = aReplay({ atMs: [500, 600, 600, 900] });
    clock.shift(350);
    expect(played).toEqual(['500/1 at 0', '600/2 at 100', '600/3 at 100']);
    clock.shift(50);
    expect(played.at(-1)).toBe('900/4 at 400');
  });

  test('shortens them by the speed', () => {
    const { clock, played } = aReplay({ atMs: [0, 1_000, 4_000], speed: 10 });
    clock.shift(400);
    expect(played).toEqual(['0/1 at 0', '1000/2 at 100', '4000/3 at 400']);
  });

  test('goes on behind what was played before', () => {
    const { clock, played } = aReplay({ atMs: [0, 1_000, 1_500], playedRows: 1 });
    clock.shift(500);
    expect(played).toEqual(['1000/2 at 0', '1500/3 at 500']);
  });

  test('says when the prices have ended, and that the market is still there', () => {
    const { clock, played, replay } = aReplay({ atMs: [0] });
    expect(replay.state().pricesEnded).toBe(false);
    clock.shift(2_000);
    expect(played).toEqual(['0/1 at 0', 'quiet at 1000', 'quiet at 2000']);
    expect(replay.state()).toEqual({ source: 'test', playedRows: 1, speed: 1, isPaused: false, pricesEnded: true });
  });

  test('pauses, resumes and changes its pace', () => {
    const { clock, played, replay } = aReplay({ atMs: [0, 1_000, 2_000, 3_000] });
    clock.shift(0);
    replay.pause();
    clock.shift(60_000);
    expect(played).toHaveLength(1);
    replay.resume();
    clock.shift(0);
    expect(played.at(-1)).toBe('1000/2 at 60000');
    replay.setSpeed(4);
    clock.shift(250);
    expect(played.slice(2)).toEqual(['2000/3 at 60000', '3000/4 at 60250']);
    replay.stop();
    clock.shift(60_000);
    expect(played).toHaveLength(4);
  });
});

describe('a venue of several symbols', () => {
  const open = (symbols: readonly string[], dataFolder?: string) =>
    startSimulator({
      replay: 'generator',
      symbols,
      virtualClockAtMs: 1_000_000,
      ...(dataFolder === undefined ? {} : { dataFolder }),
    });

  test('plays each at its own prices, the first as if it were alone, and steers them as one', async () => {
    const [alone, both] = [await open(['BTC/USDT']), await open(['BTC/USDT', 'ETH/USDT'])];
    for (const venue of [alone, both]) venue.clock.shift(10_000);
    const tapeOf = (venue: typeof both, symbol: string) => venue.exchange.venue(symbol).tape;
    expect(both.symbols).toEqual(['BTC/USDT', 'ETH/USDT']);
    expect(tapeOf(both, 'BTCUSDT').latest(500)).toEqual(tapeOf(alone, 'BTCUSDT').latest(500));
    expect(tapeOf(both, 'ETHUSDT').lastTradeId).toBeGreaterThan(15);
    expect(Number(both.exchange.venue('ETHUSDT').quotes?.last)).toBeLessThan(3_000);
    await control(both, 'POST', '/__sim/replay', { action: 'pause' });
    const last = tapeOf(both, 'ETHUSDT').lastTradeId;
    both.clock.shift(10_000);
    expect(tapeOf(both, 'ETHUSDT').lastTradeId).toBe(last);
    const { body } = await control(both, 'POST', '/__sim/replay', { action: 'resume', speed: 2 });
    expect(body).toMatchObject({ isPaused: false, speed: 2, playedRows: last + tapeOf(both, 'BTCUSDT').lastTradeId });
    await Promise.all([alone.close(), both.close()]);
  });

  test('goes on where each stood', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ratchet-symbols-'));
    const before = await open(['BTC/USDT', 'ETH/USDT'], folder);
    before.clock.shift(5_000);
    const told = before.exchange.venue('ETHUSDT').tape.latest(100);
    await before.close();
    const after = await open(['BTC/USDT', 'ETH/USDT'], folder);
    const uninterrupted = await open(['BTC/USDT', 'ETH/USDT']);
    after.clock.shift(1_000);
    uninterrupted.clock.shift(10_000);
    const pricesOf = (venue: typeof after) =>
      venue.exchange
        .venue('ETHUSDT')
        .tape.from(1, told.length + 1)
        .map(({ price }) => price);
    expect(pricesOf(after)).toEqual(pricesOf(uninterrupted));
    await Promise.all([after.close(), uninterrupted.close()]);
    rmSync(folder, { recursive: true });
  });
});

const realFolder = join(import.meta.dirname, '../../../shared/market-data');
const realFiles = (() => {
  try {
    return readdirSync(realFolder).filter((name) => name.endsWith('.csv'));
  } catch {
    return [];
  }
})();

describe.skipIf(realFiles.length === 0)('real market data in ../shared/market-data', () => {
  test.each(realFiles)('%s plays from the first line to the last', (name) => {
    const source = openPriceFile({ path: join(realFolder, name) });
    expect(source.badLines.count).toBe(0);
    let [count, lastMs, backwards] = [0, 0, 0];
    for (const { atMs } of source.rows(0)) {
      if (atMs < lastMs) backwards += 1;
      lastMs = atMs;
      count += 1;
    }
    expect(backwards).toBe(0);
    expect(count).toBeGreaterThanOrEqual(1_000);
  });
});
