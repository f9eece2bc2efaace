import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/index.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import {
  type OrderRef,
  type OrderReported,
  type PositionClosed,
  signals,
} from '../../src/contracts/messages/messages.ts';
import { entryId } from '../../src/contracts/messages/names.ts';
import { decimal, isPositive } from '../../src/domain/decimal.ts';
import { isClosed, isWorking } from '../../src/domain/order.ts';
import { aLimitEntry, approved, aReport, aRequest, closedTrade, filledBy } from './fixtures.ts';

/** What becomes of the order of a leg: of 2 that are wanted, some may fill 1. */
export const failures = [
  'is rejected by the venue',
  'is denied because of a hold',
  'expires with a rest',
  'is canceled by the venue with a rest',
  'is canceled by the venue with nothing filled',
  'does not fill in its time',
  'turns out never to have got there',
  'is parked, and a person says that it is dead',
  'is canceled because somebody closes the trade',
  'is canceled because the entry is canceled from outside',
] as const;

export const successes = [
  'fills at once',
  'fills later',
  'turns out to be filled, after a doubt',
  'is parked, and a person has it looked for until it is found filled',
] as const;

export type Fate = (typeof failures)[number] | (typeof successes)[number];

/**
 * The book and the venue of one trade, as the activities of an entry see them. Every effect happens once; an activity
 * dies where it is told to, before its effect or after it, and is repeated.
 */
export type LegsBook = {
  readonly request: EntryRequest;
  readonly orders: ReadonlyMap<number, OrderReported>;
  /** How often an order of each leg went out. */
  readonly sends: readonly number[];
  readonly isExitRequested: () => boolean;
  /** How often an activity got to a point where it could have died. */
  readonly moments: () => number;
  readonly activities: Pick<Activities, 'cancelOrder' | 'checkLimits' | 'findOrder' | 'placeOrder' | 'requestExit'>;
};

export function aLegsBook(
  request: EntryRequest,
  fates: readonly Fate[],
  diesAt: number,
  handleOf: (workflowId: string) => WorkflowHandle,
): LegsBook {
  const orders = new Map<number, OrderReported>();
  const sends = request.legs.map(() => 0);
  let moments = 0;
  let isExitRequested = false;
  let isSettled = false;

  const moment = (): void => {
    moments += 1;
    if (moments === diesAt) throw ApplicationFailure.create({ message: 'the worker has died', type: 'DIED' });
  };
  const signal = (name: string, said: unknown): void =>
    void handleOf(entryId(request.tradeId))
      .signal<[unknown]>(name, said)
      .catch(() => {});
  const change = (report: OrderReported): OrderReported => {
    orders.set(report.leg, report);
    signal(signals.orderReported, report);
    return report;
  };
  const settle = (): void => {
    for (const order of orders.values()) if (isWorking(order.status)) change({ ...order, status: 'canceled' });
    isSettled = true;
    signal(signals.positionClosed, closedTrade(request.tradeId) satisfies PositionClosed);
  };
  const closeTrade = (): void => {
    isExitRequested = true;
    settle();
  };

  /** What the venue does once it has the order; nobody is told where the answer is lost. */
  const happens = (leg: number, fate: Fate | undefined): OrderReported => {
    const tell = (status: OrderReported['status'], changed: Partial<OrderReported> = {}) =>
      change(aReport(status, { ...idOf(leg), ...changed }));
    const tellLater = (status: OrderReported['status'], changed: Partial<OrderReported> = {}) =>
      setTimeout(() => tell(status, changed), 5);
    switch (fate) {
      case 'fills at once':
        return tell('filled', all);
      case 'is rejected by the venue':
        return tell('rejected');
      case 'expires with a rest':
        return tell('expired', half);
      case 'does not fill in its time':
        return tell('partiallyFilled', half);
      case 'fills later':
        tellLater('filled', all);
        return tell('new');
      case 'is canceled by the venue with a rest':
        tellLater('canceled', half);
        return tell('new');
      case 'is canceled by the venue with nothing filled':
        tellLater('canceled');
        return tell('new');
      case 'is canceled because somebody closes the trade':
        setTimeout(closeTrade, 5);
        return tell('new');
      case 'is canceled because the entry is canceled from outside':
        void handleOf(entryId(request.tradeId)).cancel();
        return tell('new');
      default:
        return tell('pendingNew', { inDoubt: true });
    }
  };

  const parks = (leg: number, lookedAgain: boolean): OrderReported => {
    const isDead = fates[leg] === 'is parked, and a person says that it is dead';
    if (lookedAgain) return change(aReport('filled', { ...idOf(leg), ...all }));
    const next = isDead ? aReport('canceled', idOf(leg)) : aReport('pendingNew', { ...idOf(leg), inDoubt: true });
    setTimeout(() => change(next), 50);
    return change(aReport('parked', { ...idOf(leg), inDoubt: true }));
  };

  const effects = {
    placeOrder: ({ leg }: OrderRef): OrderReported => {
      const known = orders.get(leg);
      if (known) return known;
      if (isExitRequested) return change(aReport('denied', { ...idOf(leg), reasonCode: 'ENTRY_WITHDRAWN' }));
      if (fates[leg] === 'is denied because of a hold') {
        return change(aReport('denied', { ...idOf(leg), reasonCode: 'TRADING_STATE_BLOCKED' }));
      }
      sends[leg] = (sends[leg] ?? 0) + 1;
      return happens(leg, fates[leg]);
    },
    findOrder: ({ leg }: OrderRef): OrderReported => {
      const known = orders.get(leg);
      if (known === undefined) return change(aReport('denied', { ...idOf(leg), reasonCode: 'ORDER_NOT_SENT' }));
      if (!known.inDoubt || known.status === 'parked') return known;
      if (fates[leg]?.startsWith('is parked')) return parks(leg, looks.has(leg) || !looks.add(leg));
      const isFilled = fates[leg] === 'turns out to be filled, after a doubt';
      return change(aReport(isFilled ? 'filled' : 'denied', { ...idOf(leg), ...(isFilled && all) }));
    },
    cancelOrder: ({ leg }: OrderRef): OrderReported => {
      const known = orders.get(leg);
      if (known === undefined || isClosed(known.status)) return known ?? aReport('denied', idOf(leg));
      return change({ ...known, status: 'canceled' });
    },
    requestExit: (): Awaited<ReturnType<Activities['requestExit']>> => {
      if (isSettled) return 'not-open';
      if (isExitRequested) return 'already';
      setTimeout(closeTrade, 5);
      isExitRequested = true;
      return 'requested';
    },
  };
  const looks = new Set<number>();
  const mortal =
    <Input, Answer>(effect: (input: Input) => Answer) =>
    async (input: Input): Promise<Answer> => {
      moment();
      const answer = effect(input);
      moment();
      return answer;
    };
  return {
    request,
    orders,
    sends,
    isExitRequested: () => isExitRequested,
    moments: () => moments,
    activities: {
      checkLimits: mortal(() => approved(request)),
      placeOrder: mortal(effects.placeOrder),
      findOrder: mortal(effects.findOrder),
      cancelOrder: mortal(effects.cancelOrder),
      requestExit: mortal(effects.requestExit),
    },
  };
}

const idOf = (leg: number) => ({ leg, clientOrderId: `r1-t-e1-${leg}` });
const all = filledBy('2', '200');
const half = filledBy('1', '100');

const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT', 'BNB/USDT'];

/** 2 of each symbol, each at a limit of 100. */
export const aRequestOf = (count: number, expireAfterMs = 60_000): EntryRequest =>
  aRequest({
    legs: symbols.slice(0, count).map((symbol, leg) => ({
      symbol,
      side: 'BUY',
      quantity: decimal('2'),
      unitDelta: decimal('1'),
      ...(leg > 0 && { price: decimal('100') }),
    })),
    entry: aLimitEntry(expireAfterMs),
  });

/** Whether anything of the trade was bought. */
export const hasBought = ({ orders }: LegsBook): boolean =>
  [...orders.values()].some(({ filledQuantity }) => isPositive(filledQuantity));
