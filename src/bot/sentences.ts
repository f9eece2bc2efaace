import { type Decimal, isPositive } from '../client/index.ts';
import type { BotEvent } from './narrate.ts';

/** One line for a person. */
export function sentenceOf(event: BotEvent): string {
  return event.event === 'waiting' ? `waiting for ${event.for}` : `${event.tradeId}  ${tradeSentence(event)}`;
}

/** With its sign, as people read a profit. */
export const signed = (amount: Decimal): string => (isPositive(amount) ? `+${amount}` : amount);

type TradeEvent = Exclude<BotEvent, { event: 'waiting' }>;

function tradeSentence(event: TradeEvent): string {
  switch (event.event) {
    case 'resumed':
      return 'was open when the bot was stopped, going on with it';
    case 'undecided':
      return `not decided: ${event.why}`;
    case 'denied':
      return `denied: ${event.reasons.map(({ code, message }) => `${code} ${message}`).join(' ')}`;
    case 'entered':
      return `entered ${event.quantity} ${event.symbol} at ${event.price}`;
    case 'unfilled':
      return `not entered: ${event.why}`;
    case 'stopSet':
      return `${name(event.kind)} ${event.price === null ? 'waits for its activation' : `at ${event.price}`}`;
    case 'stopMoved':
      return `${name(event.kind)} moved to ${event.price}`;
    case 'triggered':
      return `${name(event.kind)} triggered by ${event.price}`;
    case 'leaving':
      return `leaving: ${name(event.reason)}`;
    case 'exited':
      return `exit filled: ${event.quantity} ${event.symbol} at ${event.price}`;
    case 'closed':
      return `closed ${event.symbol} by ${name(event.reason)}: P&L ${signed(event.pnl)} ${event.pnlAsset} after fees`;
    case 'attention':
      return `ATTENTION: ${event.what}`;
  }
}

const names: Readonly<Record<string, string>> = {
  stopLoss: 'stop loss',
  takeProfit: 'take profit',
  trailingStop: 'trailing stop',
  timeStop: 'time stop',
  operator: 'an operator',
  bot: 'the bot',
};

const name = (word: string): string => names[word] ?? word;
