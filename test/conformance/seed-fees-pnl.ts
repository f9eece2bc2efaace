import { type FeeSchedule, feesOf } from '../../src/domain/fees.ts';
import { type Adapter, decimalOf, decimalOrNull, listOf, type Values, valuesOf } from './adapter.ts';

const none = decimalOf('0');

const scheduleOf = (schedule: Values): FeeSchedule => ({
  makerBps: decimalOrNull(schedule['maker_bps']) ?? none,
  takerBps: decimalOrNull(schedule['taker_bps']) ?? none,
  rebateBps: decimalOrNull(schedule['rebate_bps']) ?? none,
});

export const adapter: Adapter = {
  offered: {
    fees: ({ params }) => {
      const profiles = Object.entries(valuesOf(params['profiles'])).map(([symbol, profile]) => [
        symbol,
        scheduleOf(valuesOf(profile)),
      ]);
      const schedules = { '*': scheduleOf(valuesOf(params['schedule'])), ...Object.fromEntries(profiles) };
      const fills = listOf(params['fills']).map((fill) => ({
        symbol: String(fill['symbol']),
        quantity: decimalOf(fill['qty']),
        price: decimalOf(fill['price']),
        isMaker: fill['maker'] === true,
      }));
      const { makerRatio, ...totals } = feesOf(schedules, fills);
      return { ...totals, maker_ratio: makerRatio };
    },
  },
  notOffered: {
    net_bps: 'no market maker in the product',
    net_bps_signed: 'no market maker in the product',
    kpi_extract: 'no market maker in the product',
    readiness: 'no market maker in the product',
  },
};
