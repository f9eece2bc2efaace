/** The way out of a trade: asking for it, what it decides on, and the money once it is flat. */
export { type ExitBook, type ExitBookLeg, readExitBook } from './exit-book.ts';
export { type ExitRequested, requestExit } from './exit-requests.ts';
export { settleTrade, tradeClosed } from './settlement.ts';
