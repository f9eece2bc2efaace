import Big from 'big.js';
import { idOf, intentOf, isPlacement, ordersOfOurs } from '../oracle/check.ts';
import { type InvariantName, invariants } from '../oracle.ts';
import type { BenchEvidence } from './evidence.ts';

/** The invariants that a ledger and a database tell all about. */
const judged = ['I1', 'I2', 'I5', 'I7', 'I12', 'I13', 'I15', 'I16'] as const satisfies readonly InvariantName[];

type Check = (evidence: BenchEvidence) => readonly string[];

/** A bench knows what was committed when a request arrived, however short the time between. */
const intentFirst: Check = ({ ledger, intents }) =>
  ledger.requests.filter(isPlacement).flatMap((request) => {
    const before = intents.get(idOf(request));
    if (before === undefined) return [`${idOf(request)} was sent without an intent`];
    return before < request.requestId ? [] : [`${idOf(request)} was sent before its intent was committed`];
  });

const statusOf: Readonly<Record<string, string>> = {
  NEW: 'new',
  PARTIALLY_FILLED: 'partiallyFilled',
  FILLED: 'filled',
  CANCELED: 'canceled',
  EXPIRED: 'expired',
  EXPIRED_IN_MATCH: 'expired',
};

/** Once everything has settled the book says of each order what the ledger says. */
const ordersAgree: Check = (evidence) => [
  ...ordersOfOurs(evidence).flatMap(({ clientOrderId, status, filledQuantity }) => {
    const order = intentOf(evidence, clientOrderId);
    if (order === undefined) return [`the book does not know ${clientOrderId}`];
    const filled = evidence.fills.filter(({ client_order_id }) => client_order_id === clientOrderId);
    const quantity = filled.reduce((sum, fill) => sum.plus(fill.quantity), new Big(0));
    const agrees = statusOf[status] === order.status && quantity.eq(filledQuantity);
    return agrees
      ? []
      : [`${clientOrderId} is ${status} ${filledQuantity}, the book: ${order.status} ${quantity.toFixed()}`];
  }),
  ...evidence.orders.flatMap(({ client_order_id: id, status, reason_code }) => {
    const isAtVenue = ordersOfOurs(evidence).some(({ clientOrderId }) => clientOrderId === id);
    const isTakenForDead = reason_code === 'ORDER_PRESUMED_DEAD' || reason_code === 'ORDER_DECLARED_DEAD';
    const mayBeAbsent = /^(rejected|denied|parked)$/.test(status) || isTakenForDead;
    return isAtVenue || mayBeAbsent ? [] : [`${id} is ${status}, and the venue lacks it`];
  }),
];

const own = { 'intent first': intentFirst, 'orders agree': ordersAgree } as const;

/** Every broken promise with its name; `except` names those that a story is meant to break. */
export function judgeBench(
  evidence: BenchEvidence,
  ...except: readonly ((typeof judged)[number] | keyof typeof own)[]
): readonly string[] {
  const broken = judged.map((name) => {
    const { violations } = invariants[name](evidence);
    return [name, violations] as const;
  });
  const ours = Object.entries(own).map(([name, check]) => [name, check(evidence)] as const);
  return [...broken, ...ours]
    .filter(([name]) => !except.some((excepted) => excepted === name))
    .flatMap(([name, faults]) => faults.map((fault) => `${name}: ${fault}`));
}
