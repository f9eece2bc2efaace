import type { EventType } from '../contracts/messages/events.ts';

/** What of a record's body says where it belongs in the story of a trade. */
type StoryEvent = {
  readonly type: string;
  readonly tradeId?: string | undefined;
  readonly clientOrderId?: string | undefined;
};

export type Story = {
  /** Takes the next event; says what is wrong with it coming here, or nothing. */
  tell(event: StoryEvent): string | undefined;
};

type Trade = { isClosed: boolean; readonly orders: Set<string> };

/**
 * Follows every trade through the records. Nothing may be said of an order before its intent, no order may be meant
 * before its trade was decided, nothing is decided, meant or closed twice, and a closed trade means no more orders.
 * It knows the words of the record only, and nothing of the code that wrote them.
 */
export function createStory(): Story {
  const trades = new Map<string, Trade>();
  return {
    tell(event) {
      const { type, tradeId } = event;
      if (tradeId === undefined) return undefined;
      const trade = trades.get(tradeId);
      if (type === 'TradeDecided') {
        trades.set(tradeId, { isClosed: false, orders: new Set() });
        return trade === undefined ? undefined : `trade ${tradeId} was decided before`;
      }
      if (!followsDecision.has(type)) return undefined;
      return trade === undefined ? `${type} of trade ${tradeId}, which was never decided` : tellOfTrade(trade, event);
    },
  };
}

function tellOfTrade(trade: Trade, { type, tradeId, clientOrderId }: StoryEvent): string | undefined {
  if (type === 'PositionClosed') {
    if (trade.isClosed) return `trade ${tradeId} was closed before`;
    trade.isClosed = true;
    return undefined;
  }
  return clientOrderId === undefined ? undefined : tellOfOrder(trade, type, clientOrderId);
}

function tellOfOrder(trade: Trade, type: string, clientOrderId: string): string | undefined {
  const isMeant = trade.orders.has(clientOrderId);
  if (!intents.has(type)) return isMeant ? undefined : `${type} of order ${clientOrderId} before its intent`;
  if (isMeant) return `${type} of order ${clientOrderId} for the second time`;
  trade.orders.add(clientOrderId);
  return trade.isClosed ? `${type} of order ${clientOrderId} after its trade was closed` : undefined;
}

const intents: ReadonlySet<string> = new Set<EventType>(['OrderIntent', 'ExitIntent']);

/** What can only happen to a trade that was decided. */
const followsDecision: ReadonlySet<string> = new Set<EventType>([
  'OrderIntent',
  'OrderIntentRenewed',
  'OrderNotSent',
  'OrderThrottled',
  'OrderRejected',
  'OrderUnknown',
  'OrderAcked',
  'OrderProgressed',
  'OrderClosed',
  'OrderResolved',
  'OrderParked',
  'ExitIntent',
  'ExitIntentRenewed',
  'ExitNotSent',
  'ExitThrottled',
  'ExitRejected',
  'ExitUnknown',
  'ExitAcked',
  'ExitProgressed',
  'ExitClosed',
  'ExitResolved',
  'ExitParked',
  'Fill',
  'PositionOpened',
  'PositionClosed',
]);
