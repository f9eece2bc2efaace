import { add, type Decimal, isLess, isZero, subtract } from '../../domain/decimal.ts';
import { invariant } from '../../domain/invariant.ts';
import { isWorking } from '../../domain/order.ts';
import { sellableQuantity } from '../../domain/position.ts';
import type { MissingOrder, PositionShortage, Share } from '../../domain/reconciliation/difference.ts';
import type { Tx } from '../database.ts';
import { requestExit } from '../exits/exit-requests.ts';
import { lockOrder, lockTrade } from '../orders/book-order.ts';
import { changeOrder } from '../orders/order-changes.ts';
import { record } from '../record.ts';
import type { CorrectionRow, PositionRow } from '../tables.ts';
import { findPosition, positionOf } from '../trades/positions.ts';
import { expectChange } from './expected-balances.ts';

type Decided = { readonly actor: string; readonly reason: string; readonly nowMs: number };

/** What a correction did, for the record; null when the book has changed so that it can't be done any more. */
type Effect = Readonly<Record<string, unknown>> | null;

/** Does to the book what a person has approved, and only that. */
export function applyCorrection(
  tx: Tx,
  { account_id, content, kind }: CorrectionRow,
  decided: Decided,
): Promise<Effect> {
  switch (content.kind) {
    case 'balance':
      return acceptDrift(tx, account_id, content.asset, content.drift);
    case 'position':
      return writeOff(tx, content, decided);
    case 'missingOrder':
      return endOrder(tx, content, decided);
    default:
      invariant(kind === 'acknowledge', `a ${content.kind} is only taken note of, was to be a ${kind}`);
      return Promise.resolve({});
  }
}

/** By the drift that the person has seen: what has moved since is another drift. */
async function acceptDrift(tx: Tx, account: string, asset: string, drift: Decimal): Promise<Effect> {
  await expectChange(tx, account, asset, drift);
  return { asset, change: drift };
}

async function endOrder(tx: Tx, { clientOrderId }: MissingOrder, { actor, reason, nowMs }: Decided): Promise<Effect> {
  const held = await lockOrder(tx, clientOrderId);
  if (held === undefined || !isWorking(held.order.status)) return null;
  const change = { status: 'canceled', in_doubt: false, reason_code: 'ORDER_DECLARED_DEAD', reason } as const;
  const note = { happening: 'Closed', actor: { type: 'user', id: actor }, data: { why: reason } } as const;
  const reported = await changeOrder(tx, held, change, note, { nowMs });
  return { clientOrderId, filledQuantity: reported.filledQuantity };
}

type HeldShare = { readonly share: Share; readonly position: PositionRow };

/** All of it or nothing: a position that has sold some of its share meanwhile needs another plan. */
async function writeOff(tx: Tx, { shares }: PositionShortage, decided: Decided): Promise<Effect> {
  const held: HeldShare[] = [];
  // In one order of the trades, so that two who lock several can't wait for each other.
  for (const share of shares.toSorted((a, b) => (a.tradeId < b.tradeId ? -1 : 1))) {
    const trade = await lockTrade(tx, share.tradeId);
    const position = await findPosition(tx, share.tradeId, share.leg);
    if (trade === undefined || position === undefined || !position.is_open) return null;
    if (isLess(sellableQuantity(positionOf(position)), share.quantity)) return null;
    held.push({ share, position });
  }
  for (const each of held) await writeOffShare(tx, each, decided);
  return { shares };
}

async function writeOffShare(tx: Tx, { share, position }: HeldShare, decided: Decided): Promise<void> {
  const { tradeId, leg, symbol, quantity } = share;
  const { actor, reason, nowMs } = decided;
  const writtenOff = add(position.written_off_quantity, quantity);
  await tx
    .updateTable('position')
    .set({ written_off_quantity: writtenOff })
    .where('trade_id', '=', tradeId)
    .where('leg', '=', leg)
    .execute();
  await record(tx, {
    type: 'PositionWrittenOff',
    key: [tradeId, leg, writtenOff],
    tradeId,
    atMs: nowMs,
    actor: { type: 'user', id: actor },
    data: { leg, symbol, quantity, writtenOff, reason },
  });
  if (isZero(subtract(sellableQuantity(positionOf(position)), quantity))) {
    await requestExit(tx, { tradeId, reason: 'operator', source: 'reconciliation', actor, note: reason, nowMs });
  }
}
