import Big from 'big.js';
import type { Evidence } from '../evidence.ts';
import type { LedgerRequest } from '../paper-control.ts';

/** How an invariant stands: every sentence is one time it was broken, `n` how much there was to judge. */
export type Verdict = { readonly violations: readonly string[]; readonly n: number };

/** A promise of the product, as a question about what is left of what happened. Nothing of the product is used. */
export type Check = (evidence: Evidence) => Verdict;

export const verdict = (n: number, ...violations: readonly (readonly string[])[]): Verdict => ({
  n,
  violations: violations.flat(),
});

/** Judges each of them, and counts them. */
export const judgeEach = <T>(things: readonly T[], faultsOf: (thing: T) => readonly string[]): Verdict =>
  verdict(things.length, things.flatMap(faultsOf));

export const total = (values: readonly (string | Big)[]): Big =>
  values.reduce<Big>((sum, value) => sum.plus(value), new Big(0));

export const repeated = (values: readonly string[]): readonly string[] => [
  ...new Set(values.filter((value, i) => values.indexOf(value) !== i)),
];

/** Times of the venue and of the book are whole milliseconds, so one that is the same may look earlier. */
export const roundingMs = 1;

/** The smallest quantity that the venue of the tests sells, and what a sale has to come to at least, in its quote asset. */
const stepSize = '0.001';
const notionalMin = '5';

/**
 * What the venue would not sell any more (LOT_SIZE, NOTIONAL). `price` is that of the last fill: the market may have
 * fallen a tenth since, and it is its price that counts.
 */
export const isDust = (quantity: Big, price: string): boolean =>
  quantity.lt(stepSize) || quantity.times(price).times('0.9').lt(notionalMin);

/** Computed once for each thing that is asked about: the checks ask the same of a ledger thousands of times. */
function once<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const found = known.get(key) ?? { value: compute(key) };
    known.set(key, found);
    return found.value;
  };
}

// The first of an id, where one is there twice.
const ordersById = once(
  (orders: Evidence['orders']) => new Map(orders.toReversed().map((order) => [order.client_order_id, order])),
);

export const intentOf = ({ orders }: Evidence, clientOrderId: string) => ordersById(orders).get(clientOrderId);

export const isPlacement = ({ method, path }: LedgerRequest): boolean =>
  method === 'POST' && /^\/api\/v3\/order(\/cancelReplace)?$/.test(path);

export const idOf = ({ parameters }: LedgerRequest): string => parameters['newClientOrderId'] ?? '';

const ownOrders = once(({ orders }: Evidence['ledger']) => orders.filter(({ origin }) => origin === 'api'));

export const ordersOfOurs = ({ ledger }: Evidence) => ownOrders(ledger);

const ownFills = once((ledger: Evidence['ledger']) => {
  const ids = new Map(ownOrders(ledger).map(({ orderId, clientOrderId }) => [orderId, clientOrderId]));
  return ledger.fills.flatMap((fill) => {
    const clientOrderId = ids.get(fill.orderId);
    return clientOrderId === undefined ? [] : [{ ...fill, clientOrderId }];
  });
});

/** The venue's fills of our orders, with the order's id. */
export const fillsOfOurs = ({ ledger }: Evidence) => ownFills(ledger);

export const isOver = ({ phase }: { readonly phase: string }): boolean =>
  /^(closed|unfilled|denied|compensated)$/.test(phase);

/** How much of a time somebody was there to keep a promise. */
export function livedMs({ outages }: Evidence, fromMs: number, toMs: number): number {
  const dead = outages.map((outage) => Math.min(toMs, outage.toMs) - Math.max(fromMs, outage.fromMs));
  return toMs - fromMs - dead.reduce((sum, ms) => sum + Math.max(0, ms), 0);
}
