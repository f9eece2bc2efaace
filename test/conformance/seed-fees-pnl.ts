import { divide, isZero, roundToPlaces, subtract, sum } from '../../src/domain/decimal.ts';
import { type FeeSchedule, feeOf } from '../../src/domain/fees.ts';
import { type Adapter, decimalOf, decimalOrNull, listOf, type Values, valuesOf } from './adapter.ts';

const none = decimalOf('0');

const scheduleOf = (schedule: Values): FeeSchedule => ({
  makerBps: decimalOrNull(schedule['maker_bps']) ?? none,
  takerBps: decimalOrNull(schedule['taker_bps']) ?? none,
  rebateBps: decimalOrNull(schedule['rebate_bps']) ?? none,
});

type Charged = ReturnType<typeof feeOf> & { readonly isMaker: boolean };

function totalsOf(fills: readonly Charged[]): Values {
  const gross = sum(fills.map(({ notional }) => notional));
  const fees = sum(fills.map(({ fee }) => fee));
  const rebates = sum(fills.map(({ rebate }) => rebate));
  const maker = sum(fills.filter(({ isMaker }) => isMaker).map(({ notional }) => notional));
  const ratio = isZero(gross) ? none : roundToPlaces(divide(maker, gross, 40), 28, 'half-even');
  return { gross, fees, rebates, net: subtract(fees, rebates), maker_ratio: ratio };
}

export const adapter: Adapter = {
  offered: {
    fees: ({ params }) => {
      const profiles = Object.entries(valuesOf(params['profiles'])).map(([symbol, profile]) => [
        symbol,
        scheduleOf(valuesOf(profile)),
      ]);
      const schedules: Record<string, FeeSchedule> & { '*': FeeSchedule } = {
        '*': scheduleOf(valuesOf(params['schedule'])),
        ...Object.fromEntries(profiles),
      };
      const fills = listOf(params['fills']).map((fill) => ({
        symbol: String(fill['symbol']),
        quantity: decimalOf(fill['qty']),
        price: decimalOf(fill['price']),
        isMaker: fill['maker'] === true,
      }));
      return totalsOf(fills.map((fill) => ({ ...fill, ...feeOf(schedules[fill.symbol] ?? schedules['*'], fill) })));
    },
  },
  notOffered: {
    net_bps: 'no market maker in the product',
    net_bps_signed: 'no market maker in the product',
    kpi_extract: 'no market maker in the product',
    readiness: 'no market maker in the product',
  },
};
