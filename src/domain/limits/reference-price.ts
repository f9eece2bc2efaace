import { ageKnown, milliseconds } from './age.ts';
import { ageLimit, referencePriceOf, together } from './known.ts';
import { bound, type Control, measure, type Subject } from './limit.ts';
import { symbolsOf } from './proposal.ts';

/** No entry without a price of its symbol, from a stream that is alive. */
export const referencePrice: Control = {
  name: 'reference_price',
  onEntry: (snapshot, entry, limits) =>
    symbolsOf(entry).map((symbol) => {
      const subject: Subject = { control: 'reference_price', code: 'PRICE_UNKNOWN', scope: symbol };
      const price = referencePriceOf(snapshot, symbol);
      const facts = together({
        ageMs: price.isKnown
          ? ageKnown(snapshot.referencePrices[symbol]?.ageMs ?? null, subject.code, `the price of ${symbol}`)
          : price,
        ageMsMax: ageLimit(limits, 'priceAgeMsMax'),
      });
      return measure(subject, facts, ({ ageMs, ageMsMax }) =>
        bound(subject, { current: null, wouldBe: ageMs, limit: milliseconds(ageMsMax) }),
      );
    }),
};
