import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { type Decimal, decimal } from '../../domain/decimal.ts';
import { RatchetError } from '../../domain/errors.ts';
import { linesOf } from '../prices/csv.ts';
import type { Fill } from './ledger.ts';

/** A trade as the market saw it. Ids are contiguous from 1 per symbol over the venue's whole life. */
export type Print = {
  readonly tradeId: number;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly buyerIsMaker: boolean;
  readonly tradedAtMs: number;
};

/** A fill of the account as the market sees it. */
export const printOf = ({ tradeId, price, quantity, side, isMaker, tradedAtMs }: Fill): Print => ({
  tradeId,
  price,
  quantity,
  buyerIsMaker: (side === 'BUY') === isMaker,
  tradedAtMs,
});

/** Which prices were played, and how many of their trades: where a restart goes on. */
export type Position = { readonly market: number; readonly playedRows: number };

/** Every trade of one symbol. */
export type Tape = {
  readonly lastTradeId: number;
  readonly position: Position;
  /** Written before the call returns, so that a kill of the process loses nothing. Without a position it stays. */
  append(prints: readonly Print[], position?: Position): void;
  /** At most `limit` trades from `fromId` on, oldest first. */
  from(fromId: number, limit: number): readonly Print[];
  /** The latest `limit` trades, oldest first. */
  latest(limit: number): readonly Print[];
  close(): void;
};

const beginning: Position = { market: 0, playedRows: 0 };
const recentMax = 4_096;
const indexEvery = 1_024;
const readBytes = 65_536;

/** A tape that lives as long as the process. */
export function memoryTape(): Tape {
  const prints: Print[] = [];
  let position = beginning;
  return {
    get lastTradeId() {
      return prints.length;
    },
    get position() {
      return position;
    },
    append(more, at = position) {
      prints.push(...more);
      position = at;
    },
    from: (fromId, limit) => prints.slice(Math.max(1, fromId) - 1, Math.max(1, fromId) - 1 + limit),
    latest: (limit) => prints.slice(-limit),
    close: () => undefined,
  };
}

/**
 * A tape in a file, a line a trade: id, time, price, quantity, whether the buyer was the maker, position. The latest trades
 * are kept in memory; where older ones stand is known for every 1,024th.
 *
 * @throws RatchetError PAPER_LEDGER_DAMAGED when a line but the last cannot be read
 */
export function fileTape(path: string): Tape {
  const scan = scanTape(path);
  const file = openSync(path, 'a+');
  mendEnd(file, scan.bytes);
  let { recent, position, bytes, lastTradeId } = scan;
  const { offsets } = scan;

  return {
    get lastTradeId() {
      return lastTradeId;
    },
    get position() {
      return position;
    },
    append(prints, at = position) {
      const lines = prints.map((print) => lineOf(print, at));
      writeSync(file, lines.join(''));
      for (const [index, print] of prints.entries()) {
        if ((print.tradeId - 1) % indexEvery === 0) offsets.push(bytes);
        bytes += lines[index]?.length ?? 0;
        lastTradeId = print.tradeId;
      }
      recent.push(...prints);
      if (recent.length > 2 * recentMax) recent = recent.slice(-recentMax);
      position = at;
    },
    from(fromId, limit) {
      const first = Math.max(1, fromId);
      const oldest = recent[0]?.tradeId ?? 1;
      if (first >= oldest) return recent.slice(first - oldest, first - oldest + limit);
      return readFrom(file, offsets[Math.floor((first - 1) / indexEvery)] ?? 0, first, limit);
    },
    latest: (limit) => recent.slice(-limit),
    close: () => closeSync(file),
  };
}

// A kill may have cut the last line off in the middle, and nobody was told of it; or it lacks its end of line alone.
function mendEnd(file: number, wholeBytes: number): void {
  if (fstatSync(file).size < wholeBytes) writeSync(file, '\n');
  else ftruncateSync(file, wholeBytes);
}

type Scan = {
  readonly recent: Print[];
  readonly position: Position;
  readonly bytes: number;
  readonly lastTradeId: number;
  readonly offsets: number[];
};

function scanTape(path: string): Scan {
  const offsets: number[] = [];
  let recent: Print[] = [];
  let [position, bytes, lastTradeId] = [beginning, 0, 0];
  let torn: number | null = null;
  for (const line of existsSync(path) ? linesOf(path) : []) {
    if (torn !== null) throw new RatchetError('PAPER_LEDGER_DAMAGED', { file: path, line: torn });
    const entry = readLine(line);
    if (!entry || entry.print.tradeId !== lastTradeId + 1) {
      torn = lastTradeId + 1;
      continue;
    }
    if (lastTradeId % indexEvery === 0) offsets.push(bytes);
    bytes += line.length + 1;
    lastTradeId += 1;
    position = entry.position;
    recent.push(entry.print);
    if (recent.length > 2 * recentMax) recent = recent.slice(-recentMax);
  }
  return { recent, position, bytes, lastTradeId, offsets };
}

const lineOf = (
  { tradeId, tradedAtMs, price, quantity, buyerIsMaker }: Print,
  { market, playedRows }: Position,
): string => `${tradeId},${tradedAtMs},${price},${quantity},${buyerIsMaker ? 1 : 0},${market},${playedRows};\n`;

// The semicolon is the proof that a line is whole: a number that was cut off is a number, too.
const linePattern = /^(\d+),(\d+(?:\.\d+)?),(\d+(?:\.\d+)?),(\d+(?:\.\d+)?),([01]),(\d+),(\d+);$/;

function readLine(line: string): { readonly print: Print; readonly position: Position } | null {
  const match = linePattern.exec(line);
  if (!match) return null;
  const [, tradeId, tradedAtMs, price = '', quantity = '', maker, market, playedRows] = match;
  return {
    print: {
      tradeId: Number(tradeId),
      tradedAtMs: Number(tradedAtMs),
      price: decimal(price),
      quantity: decimal(quantity),
      buyerIsMaker: maker === '1',
    },
    position: { market: Number(market), playedRows: Number(playedRows) },
  };
}

function readFrom(file: number, offset: number, fromId: number, limit: number): readonly Print[] {
  const prints: Print[] = [];
  const chunk = Buffer.alloc(readBytes);
  let at = offset;
  let rest = '';
  while (prints.length < limit) {
    const bytes = readSync(file, chunk, 0, readBytes, at);
    if (bytes === 0) break;
    at += bytes;
    const lines = (rest + chunk.toString('latin1', 0, bytes)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const entry = readLine(line);
      if (entry && entry.print.tradeId >= fromId && prints.length < limit) prints.push(entry.print);
    }
  }
  return prints;
}
