import { decimalLimit, together } from './known.ts';
import { bound, type Control, measure, type Subject } from './limit.ts';

/** What one order may cost, whatever else the account holds: the last thing between a slip of the pen and the venue. */
export const orderNotional: Control = {
  name: 'order_notional',
  onEntry: (_snapshot, { legs }, limits) =>
    legs.map(({ symbol, cost }) => {
      const subject: Subject = { control: 'order_notional', code: 'ORDER_NOTIONAL_EXCEEDED', scope: symbol };
      const facts = together({ max: decimalLimit(limits, 'orderNotionalMax'), cost });
      return measure(subject, facts, ({ max, cost: { notional } }) =>
        bound(subject, { current: null, wouldBe: notional, limit: max }),
      );
    }),
};
