/** What a bot in TypeScript imports: docs/connecting-a-bot.md shows how. */

export * from '../contracts/messages/decimals.ts';
export type { EntryDecision, Reason } from '../contracts/messages/decision.ts';
export type { EntryRequest } from '../contracts/messages/entry-request.ts';
export type { PositionClosed } from '../contracts/messages/messages.ts';
export type { MarketView, StatusView } from '../contracts/schemas/status-view.ts';
export type { TradeRecord, TradeSummary, TradeView } from '../contracts/schemas/trade-view.ts';
export { RatchetClientError } from './client-error.ts';
export { connectRatchet, type RatchetClient, type RatchetSettings, type TradeFilter } from './ratchet-client.ts';
export { readStack, type StackAddresses } from './read-stack.ts';
