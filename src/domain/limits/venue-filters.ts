import type { Fault } from '../fault.ts';
import { checkOrder, roundPrice, roundQuantity, type SymbolFilters } from '../filters.ts';
import { allow, type Control, deny, type LimitEvaluation, type Subject } from './limit.ts';
import type { EntryLeg } from './proposal.ts';
import type { Snapshot } from './snapshot.ts';

/** What the venue would refuse is denied here, with each of its reasons. The order is checked as it would be sent: rounded. */
export const venueFilters: Control = {
  name: 'venue_filters',
  onEntry: (snapshot, { legs, needsStops }) =>
    legs.flatMap((leg) => [...judge(snapshot, leg), ...(needsStops ? judgeStops(snapshot, leg) : [])]),
};

function judge({ filters: known, referencePrices }: Snapshot, leg: EntryLeg): readonly LimitEvaluation[] {
  const { symbol, side, quantity, limitPrice } = leg;
  const subject: Subject = { control: 'venue_filters', code: 'FILTERS_UNKNOWN', scope: symbol };
  const filters = known[symbol];
  if (filters === undefined) return [deny(subject, `the trading rules of ${symbol} could not be read`)];
  const faults = checkOrder(filters, {
    orderType: limitPrice === null ? 'MARKET' : 'LIMIT',
    quantity: roundQuantity(filters, quantity),
    price: limitPrice === null ? null : roundPrice(filters, limitPrice, side),
    referencePrice: referencePrices[symbol]?.last ?? null,
  });
  if (faults.length === 0) return [allow(subject, fits(filters))];
  return faults.map((fault) => deny({ ...subject, code: fault.code }, inWords(fault)));
}

// Rules that could not be read are refused as such already.
function judgeStops({ filters }: Snapshot, { symbol }: EntryLeg): readonly LimitEvaluation[] {
  if (filters[symbol]?.takesStops !== false) return [];
  const subject: Subject = { control: 'venue_filters', code: 'PROTECTIVE_STOP_UNSUPPORTED', scope: symbol };
  return [deny(subject, `the venue takes no stop orders for ${symbol}`)];
}

const fits = ({ tickSize, stepSize }: SymbolFilters): string => `fits ticks of ${tickSize} and steps of ${stepSize}`;

const inWords = ({ context }: Fault): string =>
  Object.entries(context)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
