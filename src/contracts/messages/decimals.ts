/** What whoever sizes a trade calculates with: exact decimals as text, never JavaScript numbers. */
export {
  add,
  compare,
  type Decimal,
  decimal,
  divide,
  isLess,
  isPositive,
  isZero,
  multiply,
  roundToStep,
  subtract,
  sum,
} from '../../domain/decimal.ts';
