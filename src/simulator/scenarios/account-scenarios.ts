import { add, decimal, divide, isPositive, negate, roundToStep, subtract } from '../../domain/decimal.ts';
import { type Stage, StageProblem } from '../control/stage.ts';
import type { OrderCommand } from '../exchange/acceptance.ts';
import type { PaperOrder } from '../exchange/books.ts';
import type { Venue } from '../exchange/exchange.ts';
import { percentOf, quotesOf, venueOf } from './market-scenarios.ts';
import { choice, lasting, type Scenario, symbolParameter, type Values, wholeNumber } from './scenario.ts';

const side = (meaning: string) => choice(meaning, 'BUY', ['SELL']);

/** What happens to the account's orders and money by other hands. */
export const accountScenarios: readonly Scenario[] = [
  {
    name: 'partial-fill',
    does: 'A resting order is filled in part: the one that rests now, or the next that comes to rest.',
    expect:
      'The position opens with what was filled and its guards are as large; the rest is canceled when the entry expires.',
    parameters: { percent: wholeNumber('how much of it', 30, 1, 99), forMs: lasting(600_000) },
    run(stage, values) {
      fillInPart(stage, this.name, values);
    },
  },
  {
    name: 'external-order',
    does: 'A person places an order by hand, far enough from the market to rest.',
    expect: 'Within 30 s the alert EXTERNAL_ORDER names it, and entries are blocked until a person has settled it.',
    parameters: {
      symbol: symbolParameter,
      side: side('of the order'),
      percent: wholeNumber('how far from the market', 10, 1, 50),
    },
    run(stage, values) {
      const venue = venueOf(stage, values);
      const { last } = quotesOf(venue);
      const away = percentOf(last, values.number('percent'));
      const isBuy = values.text('side') === 'BUY';
      placeByHand(stage, venue, values.text('side'), isBuy ? subtract(last, away) : add(last, away));
    },
  },
  {
    name: 'external-withdrawal',
    does: 'A person takes money out of the account.',
    expect: 'Within 60 s the alert BALANCE_DRIFT names the difference, and limits follow the equity that is left.',
    parameters: { symbol: symbolParameter, percent: wholeNumber('how much of what is free', 10, 1, 100) },
    run(stage, values) {
      const { exchange } = stage.core;
      const { quoteAsset } = venueOf(stage, values).market;
      const change = roundToStep(
        percentOf(exchange.books.balance(quoteAsset).free, values.number('percent')),
        decimal('0.00000001'),
        'truncate',
      );
      if (!isPositive(change)) throw new StageProblem(`there is no free ${quoteAsset} to take out`);
      exchange.changeBalance(quoteAsset, negate(change), 'external');
    },
  },
  {
    name: 'self-trade',
    does: "A person's order of the same account rests at the best price, where the next order of the other side would meet it.",
    expect:
      "The venue ends one of the two as EXPIRED_IN_MATCH: the person's order where it meets an exit, which goes on; Ratchet's where it is an entry, whose remainder is unfilled.",
    parameters: { symbol: symbolParameter, side: side("of the person's order; the next of the other side meets it") },
    run(stage, values) {
      const venue = venueOf(stage, values);
      const { bid, ask } = quotesOf(venue);
      placeByHand(stage, venue, values.text('side'), values.text('side') === 'BUY' ? bid : ask);
    },
  },
];

/** An order of twice the smallest size that the symbol allows. */
function placeByHand(stage: Stage, { market }: Venue, orderSide: string, price: OrderCommand['quantity']): void {
  const { exchange, clock } = stage.core;
  const limitPrice = roundToStep(price, market.tickSize, 'floor');
  const smallest = divide(add(market.notionalMin, market.notionalMin), limitPrice);
  const command: OrderCommand = {
    clientOrderId: null,
    symbol: market.symbol,
    side: orderSide === 'BUY' ? 'BUY' : 'SELL',
    type: 'LIMIT',
    timeInForce: 'GTC',
    quantity: roundToStep(add(smallest, market.quantityMin), market.stepSize, 'ceiling'),
    limitPrice,
    stopPrice: null,
    preventionMode: 'EXPIRE_MAKER',
    origin: 'external',
    requestId: null,
    receivedAtMs: clock.nowMs(),
  };
  const placement = exchange.place(command);
  if (placement.outcome === 'refused')
    throw new StageProblem(`the venue refuses the order: ${placement.refusal.message}`);
}

function fillInPart({ core, troubles }: Stage, name: string, values: Values): void {
  const { exchange, clock } = core;
  const fill = ({ orderId, symbol, quantity }: PaperOrder): void => {
    const { stepSize } = exchange.venue(symbol).market;
    exchange.fill(orderId, roundToStep(percentOf(quantity, values.number('percent')), stepSize, 'ceiling'));
  };
  const isOpen = ({ orderId }: PaperOrder): boolean => exchange.books.openOrders.has(orderId);
  const resting = [...exchange.books.openOrders.values()].find((order) => canRest(order) && order.status === 'NEW');
  if (resting) fill(resting);
  else {
    troubles.begin(name, values.number('forMs'), () =>
      exchange.onEvent((event) => {
        if (event.type !== 'execution' || event.execution !== 'NEW' || !canRest(event.order)) return;
        // Whether it comes to rest shows only after it was matched.
        clock.schedule(1, () => {
          if (!isOpen(event.order)) return;
          troubles.end(name);
          fill(event.order);
        });
      }),
    );
  }
}

const canRest = ({ limitPrice, workingAtMs }: PaperOrder): boolean => limitPrice !== null && workingAtMs !== null;
