import { sql } from 'kysely';
import type { EntryProgressed, LegEntered } from '../../contracts/messages/messages.ts';
import { crashPoint } from '../../observability/crash-point.ts';
import { raiseAlert } from '../alerts.ts';
import type { Tx } from '../database.ts';
import { enqueue } from '../outbox.ts';
import { record } from '../record.ts';
import type { PositionRow, TradePhase, TradeRow } from '../tables.ts';
import { releaseProbe } from '../trading-state/breaker.ts';
import { findPosition, firstFill } from './positions.ts';
import { entryProgressedMessages } from './trade-messages.ts';

/** Which entry order changed, or was refused before there was one, and how. */
export type EntryNews = {
  readonly clientOrderId: string;
  readonly leg: number;
  /** Why what it can't fill is given back. */
  readonly reason: string;
  /** The venue has it on its book. */
  readonly isAcked: boolean;
  readonly hasNewFills: boolean;
  /** The leg's position, where fills changed it. */
  readonly position?: PositionRow | undefined;
};

/**
 * Brings the trade in line with its entry orders after one of them changed: voids what can't fill any more, moves the
 * phase, and tells the monitor of the position. The caller holds the trade's row.
 */
export async function followEntry(tx: Tx, trade: TradeRow, news: EntryNews, nowMs: number): Promise<void> {
  const { hasNewFills, isAcked } = news;
  await voidWhatCannotFill(tx, trade, news, nowMs);
  const { isFinal, hasFills } = await readEntryEnd(tx, trade.trade_id);
  const hasJustEnded = isFinal && trade.entry_ended_at_ms === null;
  const [guarded, ...others] = await positionsOf(tx, trade, news);
  const phase = phaseAfter(trade.phase, { isFinal, hasFills, hasNewFills, isAcked });
  const first = hasFills && guarded ? await firstFill(tx, trade.trade_id, guarded.leg) : undefined;
  if (hasJustEnded) await releaseProbe(tx, trade.account_id, trade.trade_id);
  if (hasNewFills && isOver(trade.phase)) await alertFillAfterClose(tx, trade, news, nowMs);
  await tx
    .updateTable('trade')
    .set({
      phase,
      entry_ended_at_ms: isFinal ? (trade.entry_ended_at_ms ?? nowMs) : null,
      opened_at_ms: earlier(trade.opened_at_ms, first?.transacted_at_ms ?? null),
      closed_at_ms: isOver(phase) ? (trade.closed_at_ms ?? nowMs) : null,
    })
    .where('trade_id', '=', trade.trade_id)
    .execute();
  if (guarded === undefined || first === undefined || !(hasNewFills || hasJustEnded)) return;
  const progress: EntryProgressed = {
    entryQuantity: guarded.entry_quantity,
    entryQuote: guarded.entry_quote,
    isFinal,
    firstFillAtMs: first.transacted_at_ms,
    firstVenueTradeId: first.venue_trade_id,
    ...(trade.request.legs.length > 1 && { otherLegs: others.map(legEntered) }),
  };
  await enqueue(tx, entryProgressedMessages(trade, guarded, progress), nowMs);
}

/** What the legs have bought, in their order: the guards watch the first. */
async function positionsOf(tx: Tx, trade: TradeRow, { leg, position }: EntryNews): Promise<readonly PositionRow[]> {
  if (trade.request.legs.length > 1) {
    return tx.selectFrom('position').selectAll().where('trade_id', '=', trade.trade_id).orderBy('leg').execute();
  }
  const only = position ?? (await findPosition(tx, trade.trade_id, leg));
  return only === undefined ? [] : [only];
}

const legEntered = ({ leg, symbol, entry_quantity, entry_quote }: PositionRow): LegEntered => ({
  leg,
  symbol,
  entryQuantity: entry_quantity,
  entryQuote: entry_quote,
});

/** Gives back what is reserved for a leg and can't fill any more: all its entry orders have ended and are counted. */
export async function voidWhatCannotFill(
  tx: Tx,
  trade: TradeRow,
  { leg, reason }: Pick<EntryNews, 'leg' | 'reason'>,
  nowMs: number,
): Promise<void> {
  const { rows } = await sql<{ readonly quantity: string; readonly voided: string }>`
    update reservation r set voided_quantity = r.quantity - r.posted_quantity, void_reason = ${reason}
    from reservation before
    where r.trade_id = ${trade.trade_id} and r.leg = ${leg} and r.posted_quantity + r.voided_quantity < r.quantity
      and before.trade_id = r.trade_id and before.leg = r.leg
      and not exists (select 1 from orders where trade_id = r.trade_id and leg = r.leg and ${mayStillFill})
    returning r.quantity - r.posted_quantity - before.voided_quantity as quantity, r.voided_quantity as voided
  `.execute(tx);
  const [voided] = rows;
  if (voided === undefined) return;
  crashPoint('duringReservationChange');
  await record(tx, {
    type: 'ReservationVoided',
    key: [trade.trade_id, leg, voided.voided],
    tradeId: trade.trade_id,
    atMs: nowMs,
    actor: { type: 'system', id: 'book' },
    data: { leg, quantity: voided.quantity, reason },
  });
}

// Of the columns of `orders`: an entry that may fill, or has filled more than the book has seen.
const mayStillFill = sql`purpose = 'entry' and (status in ('pendingNew', 'new', 'partiallyFilled', 'parked')
  or in_doubt or filled_quantity < reported_quantity)`;

/** Whether nothing of the entry can fill any more, and whether anything has. */
async function readEntryEnd(
  tx: Tx,
  tradeId: string,
): Promise<{ readonly isFinal: boolean; readonly hasFills: boolean }> {
  const { rows } = await sql<{ readonly isFinal: boolean; readonly hasFills: boolean }>`
    select not exists (select 1 from orders where trade_id = ${tradeId} and ${mayStillFill})
        and not exists (select 1 from reservation
          where trade_id = ${tradeId} and posted_quantity + voided_quantity < quantity) as "isFinal",
      exists (select 1 from position where trade_id = ${tradeId} and entry_quantity > 0) as "hasFills"
  `.execute(tx);
  return rows[0] ?? { isFinal: false, hasFills: false };
}

const earlier = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

const isOver = (phase: TradePhase): boolean => phase === 'closed' || phase === 'unfilled' || phase === 'denied';

function phaseAfter(
  phase: TradePhase,
  after: { isFinal: boolean; hasFills: boolean; hasNewFills: boolean; isAcked: boolean },
): TradePhase {
  if (isOver(phase)) return after.hasNewFills ? 'open' : phase;
  // On its way out it stays so: the exit settles it, filled or not.
  if (phase === 'closing') return 'closing';
  if (after.hasFills) return 'open';
  if (after.isFinal) return 'unfilled';
  return after.isAcked ? 'working' : phase;
}

const alertFillAfterClose = (tx: Tx, trade: TradeRow, { clientOrderId }: EntryNews, nowMs: number): Promise<boolean> =>
  raiseAlert(tx, {
    condition: `fill-after-close:${trade.trade_id}`,
    code: 'FILL_AFTER_CLOSE',
    severity: 'CRITICAL',
    context: { tradeId: trade.trade_id, clientOrderId },
    tradeId: trade.trade_id,
    nowMs,
  });
