import { invariant } from '../../domain/invariant.ts';

/** Workflow types, as the Temporal UI and a bare start name them. */
export const workflowTypes = {
  entry: 'entry',
  positionMonitoring: 'positionMonitoring',
  trailingStop: 'trailingStop',
  exit: 'exit',
  protectiveStop: 'protectiveStop',
  marketWatch: 'marketWatch',
  accountWatch: 'accountWatch',
  circuitBreaker: 'circuitBreaker',
  cancelAll: 'cancelAll',
  reconciliation: 'reconciliation',
  correction: 'correction',
} as const;

/** Ids are functions of business ids: the same trade always finds the same workflow. */
export const entryId = (tradeId: string): string => `entry-${tradeId}`;
export const positionId = (tradeId: string): string => `position-${tradeId}`;
export const stopId = (tradeId: string): string => `stop-${tradeId}`;
export const protectId = (tradeId: string): string => `protect-${tradeId}`;
export const exitId = (tradeId: string): string => `exit-${tradeId}`;
export const marketWatchId = (shard: string): string => `market-${shard}`;
export const accountWatchId = (venue: string, account: string): string => `account-${venue}-${account}`;
export const breakerId = (scope: string): string => `breaker-${scope}`;

/** `scope` such as `all`, `account-main` or `symbol-BTC-USDT`; `epoch` is the version of the hold that it carries out. */
export const cancelAllId = (scope: string, epoch: string): string => `cancel-all-${scope}-${epoch}`;

/** Of a run; `which` says which one, such as the time of a schedule or the id of whoever asked for it. */
export const reconciliationId = (venue: string, account: string, which: string): string =>
  `reconciliation-${venue}-${account}-${which}`;
export const correctionWorkflowId = (correctionId: string): string => `correction-${correctionId}`;

export const accountScope = (account: string): string => `account-${account}`;

/**
 * The part of the eyes that a symbol belongs to: `<venue>-<n>`, by a stable hash (FNV-1a, 32 bits).
 * Changing the number of shards moves symbols, so it needs every watch to have nothing armed.
 */
export function shardOf(venue: string, symbol: string, shards: number): string {
  invariant(shards >= 1, `at least one shard, was ${shards}`);
  let hash = 0x811c9dc5;
  for (const character of symbol) {
    hash ^= character.codePointAt(0) ?? 0;
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return `${venue}-${hash % shards}`;
}

/** Nothing slow in front of something urgent: each has workers and slots of its own. */
export const taskQueues = {
  entries: 'ratchet-entries',
  guards: 'ratchet-guards',
  watches: 'ratchet-watches',
  venue: (venue: string): string => `ratchet-venue-${venue}`,
} as const;

/** Search attributes, all of type Keyword. Set at start, changed only with the phase. */
export const searchAttributes = {
  symbol: 'RatchetSymbol',
  strategy: 'RatchetStrategy',
  state: 'RatchetState',
  account: 'RatchetAccount',
} as const;

/** The memo under which a lifecycle keeps the newest checkpoint of the record, as it was when the lifecycle was started. */
export const checkpointMemo = 'ratchetCheckpoint';
