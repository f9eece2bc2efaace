import type { MarketTraits } from '../exchange/market-rules.ts';
import type { PriceRow } from './price-rows.ts';

/** A line of a file that could not be played. Lines are counted from 1, the header included. */
export type BadLine = { readonly line: number; readonly fault: string };

/** Prices to play: a file or the generator. */
export type PriceSource = {
  /** For people. */
  readonly name: string;
  /** Equal for equal prices, so that a restart knows whether it may go on where it stood. */
  readonly fingerprint: string;
  readonly traits: MarketTraits;
  /** Whether each trade says who took. */
  readonly saysSides: boolean;
  /** How many lines were skipped, and the first of them. */
  readonly badLines: { readonly count: number; readonly first: readonly BadLine[] };
  /** The trades from that one on, counted from 0, oldest first. */
  rows(from: number): Iterable<PriceRow>;
};
