import type { Decimal } from './decimal.ts';
import type { PositionSide } from './order.ts';

export type TrailingStopRules = {
  readonly side: PositionSide;
  readonly by: 'percent' | 'absolute' | 'ticks';
  readonly distance: Decimal;
  /** Trails once the price has reached this; null = from the start. */
  readonly activationPrice: Decimal | null;
  /** The stop is rounded to this, toward the price (tighter); null = not rounded. */
  readonly tickSize: Decimal | null;
  /** A move smaller than this share of the stop, in percent, is not made; null = any improvement is. */
  readonly minimumMovePercent: Decimal | null;
  /** Whether prices before the activation count for the extreme. */
  readonly extremeFrom: 'activation' | 'start';
};

export type TrailingStop = {
  readonly status: 'waiting' | 'trailing' | 'triggered';
  /** The best price seen for the position. */
  readonly extreme: Decimal;
  readonly stopPrice: Decimal | null;
};

export type TrailingStopStep = {
  readonly stop: TrailingStop;
  readonly action: 'hold' | 'activated' | 'moved' | 'triggered' | 'latched';
};
