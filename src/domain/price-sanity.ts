import { absolute, add, type Decimal, decimal, divide, isLess, isMore, multiply, one, subtract } from './decimal.ts';

const hundred = decimal('100');
const twoHundred = decimal('200');

/** Unless the settings say otherwise: no market goes so far from one trade to the next, but a lost digit does. */
export const priceJumpMaxPercentDefault = decimal('10');

/** Whether `to` lies farther from `from` than is believed without a second word. */
export type JumpCheck = (from: Decimal, to: Decimal) => boolean;

/** Whether `to` is more than `maxPercent` of `from` away from it, up or down. Exactly so far is none. */
export const isJump = (from: Decimal, to: Decimal, maxPercent: Decimal): boolean =>
  isMore(multiply(absolute(subtract(to, from)), hundred), multiply(from, maxPercent));

/**
 * `isJump` for a stream of prices, with the same answers. Prices mostly stay near each other, so it keeps a band in which
 * no two prices are a jump apart: the answer there costs comparisons and no calculation.
 */
export function createJumpCheck(maxPercent: Decimal): JumpCheck {
  let band = bandAround(one, maxPercent);
  const isWithin = (price: Decimal): boolean => !isLess(price, band.low) && !isMore(price, band.high);
  return (from, to) => {
    if (isWithin(from) && isWithin(to)) return false;
    if (isJump(from, to, maxPercent)) return true;
    band = bandAround(to, maxPercent);
    return false;
  };
}

/**
 * From end to end the band is as wide as a jump from its low end may be: with p = percent / 100 and its half width h as a
 * fraction of the middle, 2h / (1 - h) = p, so h = p / (2 + p) = percent / (200 + percent).
 */
function bandAround(middle: Decimal, maxPercent: Decimal): { readonly low: Decimal; readonly high: Decimal } {
  // Division cuts, so the band is rather too narrow than too wide.
  const half = divide(multiply(middle, maxPercent), add(twoHundred, maxPercent));
  return { low: subtract(middle, half), high: add(middle, half) };
}
