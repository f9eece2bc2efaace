import { type GuardChanged, type GuardKind, signals } from '../../contracts/messages/messages.ts';
import { positionId, protectId, stopId } from '../../contracts/messages/names.ts';
import type { Guard } from '../../domain/guard.ts';
import type { Tx } from '../database.ts';
import type { NewMessage } from '../outbox.ts';
import type { GuardRow } from '../tables.ts';

/** A guard as the watch takes it up. */
export type ArmedGuard = {
  /** One a trade, leg and kind. */
  readonly id: string;
  readonly tradeId: string;
  readonly leg: number;
  readonly kind: GuardKind;
  readonly symbol: string;
  readonly guard: Guard;
  readonly version: number;
  /** The version that the watch has said it watches. */
  readonly acknowledgedVersion: number;
  /** It has seen every trade up to this one. */
  readonly sinceVenueTradeId: number;
};

type GuardKey = Pick<ArmedGuard, 'tradeId' | 'leg' | 'kind'>;

export const guardIdOf = ({ tradeId, leg, kind }: GuardKey): string => `${tradeId}/${leg}/${kind}`;

// The columns are kept apart by kind in one row; that they fit together is what every writer of them has seen to.
export const guardOf = (row: Pick<GuardRow, 'kind' | 'terms' | 'state'>): Guard =>
  ({ kind: row.kind, terms: row.terms, state: row.state }) as Guard;

export const findGuard = (tx: Tx, { tradeId, leg, kind }: GuardKey): Promise<GuardRow | undefined> =>
  tx
    .selectFrom('guard')
    .selectAll()
    .where('trade_id', '=', tradeId)
    .where('leg', '=', leg)
    .where('kind', '=', kind)
    .forNoKeyUpdate()
    .executeTakeFirst();

/**
 * To the lifecycle of a trailing stop, with its whole state; a trigger of any kind also to the position's. Where a stop
 * is held at the venue beside the guard, its keeper is told as well.
 */
export function guardChangedMessages(
  tradeId: string,
  guard: Guard,
  version: number,
  isHeldAtVenue: boolean,
  triggered?: GuardChanged['triggered'],
): readonly NewMessage[] {
  const change: GuardChanged = {
    kind: guard.kind,
    version,
    ...(guard.kind === 'trailingStop' && { stop: guard.state }),
    ...(triggered !== undefined && { triggered }),
  };
  const told = [
    ...(guard.kind === 'trailingStop' ? [stopId(tradeId)] : []),
    ...(triggered === undefined ? [] : [positionId(tradeId)]),
    ...(isHeldAtVenue ? [protectId(tradeId)] : []),
  ];
  return told.map((workflowId) => ({
    action: 'signal',
    tradeId,
    workflowId,
    signalName: signals.guardChanged,
    signalArgs: [change],
  }));
}
