import type { Decimal } from '../domain/decimal.ts';

/** A trade as the market saw it. Ids are contiguous from 1 per symbol over the venue's whole life. */
export type Print = {
  readonly tradeId: number;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly buyerIsMaker: boolean;
  readonly tradedAtMs: number;
};

/** Every trade of one symbol, oldest first. */
export type Tape = {
  readonly lastTradeId: number;
  append(prints: readonly Print[]): void;
  /** At most `limit` trades from `fromId` on, oldest first. */
  from(fromId: number, limit: number): readonly Print[];
  /** The latest `limit` trades, oldest first. */
  latest(limit: number): readonly Print[];
  close(): void;
};

/** A tape that lives as long as the process. */
export function memoryTape(): Tape {
  const prints: Print[] = [];
  return {
    get lastTradeId() {
      return prints.length;
    },
    append: (more) => void prints.push(...more),
    from: (fromId, limit) => prints.slice(Math.max(0, fromId - 1), Math.max(0, fromId - 1) + limit),
    latest: (limit) => prints.slice(-limit),
    close: () => undefined,
  };
}
