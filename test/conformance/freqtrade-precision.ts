import {
  type Decimal,
  powerOfTen,
  type Rounding,
  roundToPlaces,
  roundToSignificantDigits,
  roundToStep,
} from '../../src/domain/decimal.ts';
import { type Adapter, decimalOf, type Values } from './adapter.ts';

const roundings: Readonly<Record<string, Rounding>> = {
  ROUND: 'half-up',
  ROUND_UP: 'ceiling',
  ROUND_DOWN: 'floor',
  TRUNCATE: 'truncate',
};

function rounded(params: Values): Decimal {
  const rounding = roundings[String(params['rounding'])];
  if (rounding === undefined) throw new TypeError(`No such rounding: ${String(params['rounding'])}`);
  const value = decimalOf(params['value']);
  switch (params['mode']) {
    case 'DECIMAL_PLACES':
      return roundToPlaces(value, Number(params['precision']), rounding);
    case 'SIGNIFICANT_DIGITS':
      return roundToSignificantDigits(value, Number(params['precision']), rounding);
    default:
      return roundToStep(value, decimalOf(params['precision']), rounding);
  }
}

export const adapter: Adapter = {
  offered: {
    amount_to_precision: ({ params }) => rounded({ ...params, rounding: 'TRUNCATE' }),
    price_to_precision: ({ params }) => rounded(params),
    price_get_one_pip: ({ params }) =>
      params['mode'] === 'TICK_SIZE' ? decimalOf(params['precision']) : powerOfTen(-Number(params['precision'])),
  },
  notOffered: {
    amount_to_contract_precision: 'spot markets have no contracts',
    stop_limit_rate: 'an exit is a market order, or a limit with a market order behind it',
  },
};
