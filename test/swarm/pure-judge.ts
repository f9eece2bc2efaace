import { isClosed, isWorking } from '../../src/domain/order.ts';
import type { Turn } from './pure-trade.ts';
import { filledOf, isOpen } from './pure-venue.ts';

// The promises of the order path, asked of the model venue in whole thousandths: none of what decides is used to judge.

/** What must hold after every event. */
export function brokenNow({ book, venue }: Turn): readonly string[] {
  const ids = venue.orders.map(({ id }) => id);
  const entries = venue.orders.filter(({ side }) => side === 'BUY');
  const bought = entries.reduce((sum, order) => sum + filledOf(order), 0);
  const selling = venue.orders
    .filter(({ side }) => side === 'SELL')
    .reduce((sum, order) => sum + (isOpen(order) ? order.quantity : filledOf(order)), 0);
  return [
    ...(entries.length > 1 ? [`I1: the venue took ${entries.length} entries`] : []),
    ...(new Set(ids).size < ids.length ? [`I1: the venue took one of ${ids.join(', ')} twice`] : []),
    ...(selling > bought ? [`I2: ${selling} sell of ${bought}`] : []),
    ...book.orders.flatMap((order) =>
      orderFaults(
        order,
        venue.orders.find(({ id }) => id === order.id),
      ),
    ),
  ];
}

type Ours = Turn['book']['orders'][number];
type Theirs = Turn['venue']['orders'][number] | undefined;

function orderFaults({ id, state, fills, isPresumedDead }: Ours, atVenue: Theirs): readonly string[] {
  const stated = Math.round(Number(state.filledQuantity) * 1_000);
  const traded = new Set(atVenue?.fills.map(({ tradeId }) => tradeId));
  const isOver = isClosed(state.status) && !state.inDoubt;
  return [
    ...(/^(denied|rejected)$/.test(state.status) && atVenue
      ? [`I12: ${id} is ${state.status} and stands at the venue`]
      : []),
    ...(isPresumedDead && atVenue ? [`I1: ${id} was given up and stands at the venue`] : []),
    ...([...fills.keys()].some((tradeId) => !traded.has(tradeId))
      ? [`I13: the book of ${id} has a fill of nobody`]
      : []),
    ...(stated > (atVenue ? filledOf(atVenue) : 0) ? [`I13: ${id} has ${stated}, more than was traded`] : []),
    // What a closed entry did not fill is given back.
    ...(isOver && atVenue && isOpen(atVenue) ? [`I16: ${id} gives back what still works`] : []),
  ];
}

/** What must hold once nothing has failed for two minutes. */
export function brokenAtEnd({ book, venue }: Turn): readonly string[] {
  if (book.orders.length === 0) return [];
  const held = venue.orders.reduce(
    (sum, order) => sum + (order.side === 'BUY' ? filledOf(order) : -filledOf(order)),
    0,
  );
  return [
    ...(book.isSettled ? [] : ['liveness: the trade does not end']),
    ...(book.isSettled && held !== 0 ? [`I13: it is settled and holds ${held}`] : []),
    ...book.orders.flatMap(({ id, state }) => {
      const filled = venue.orders.filter((order) => order.id === id).reduce((sum, order) => sum + filledOf(order), 0);
      const stated = Math.round(Number(state.filledQuantity) * 1_000);
      return [
        ...(isWorking(state.status) || (state.inDoubt && state.status !== 'parked')
          ? [`I12: ${id} is ${state.status} for ever`]
          : []),
        ...(filled === stated ? [] : [`I13: ${id} filled ${filled}, the book says ${stated}`]),
      ];
    }),
  ];
}
