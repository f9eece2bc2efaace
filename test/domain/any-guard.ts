import fc from 'fast-check';
import { decimal } from '../../src/domain/decimal.ts';
import { type Guard, stepGuard } from '../../src/domain/guard.ts';
import { activationPriceAt, openTrailingStop, type TrailingStopRules } from '../../src/domain/trailing-stop.ts';
import { centPrice } from '../support/arbitrary-decimal.ts';

const anySide = fc.constantFrom('long' as const, 'short' as const);

const anyPriceGuard: fc.Arbitrary<Guard> = fc.record({
  kind: fc.constantFrom('stopLoss' as const, 'takeProfit' as const),
  terms: fc.record({ side: anySide, price: centPrice() }),
  state: fc.constant({ status: 'armed' as const }),
});

const anyTrailingGuard: fc.Arbitrary<Guard> = fc
  .record({
    side: anySide,
    reference: centPrice(),
    distance: fc.constantFrom('0.3', '1', '4'),
    lead: fc.constantFrom(null, '-1', '0.5', '3'),
    tickSize: fc.constantFrom(null, decimal('0.25')),
    minimumMovePercent: fc.constantFrom(null, decimal('0.5')),
    extremeFrom: fc.constantFrom('activation' as const, 'start' as const),
  })
  .map(({ side, reference, distance, lead, ...rest }) => {
    const activationPrice = lead === null ? null : activationPriceAt(side, reference, decimal(lead));
    const terms: TrailingStopRules = { side, by: 'percent', distance: decimal(distance), activationPrice, ...rest };
    return { kind: 'trailingStop', terms, state: openTrailingStop(terms, reference) };
  });

/** A guard of any kind, at any moment of its life. */
export const anyGuard: fc.Arbitrary<Guard> = fc
  .tuple(fc.oneof(anyPriceGuard, anyTrailingGuard), fc.array(centPrice(), { maxLength: 5 }))
  .map(([guard, prices]) => prices.reduce((at, price) => stepGuard(at, price).guard, guard));
