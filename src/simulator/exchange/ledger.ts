import { createHash } from 'node:crypto';
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Decimal } from '../../domain/decimal.ts';
import { RatchetError } from '../../domain/errors.ts';
import type { Side, TimeInForce } from '../../domain/order.ts';
import type { Market } from './market.ts';

export type StopOrderType = 'STOP_LOSS' | 'STOP_LOSS_LIMIT' | 'TAKE_PROFIT' | 'TAKE_PROFIT_LIMIT';
export type PaperOrderType = 'LIMIT' | 'LIMIT_MAKER' | 'MARKET' | StopOrderType;
export type OrderOrigin = 'api' | 'external';
export type ClosedStatus = 'CANCELED' | 'EXPIRED' | 'EXPIRED_IN_MATCH';
/** Which of the account's own orders ends when two of them would meet. The taker's mode counts. */
export type PreventionMode = 'EXPIRE_MAKER' | 'EXPIRE_TAKER' | 'EXPIRE_BOTH';
/** What a fee is paid in: the asset that is received, the quote asset, or a third one at a discount while enough of it is free. */
export type FeeIn = 'received' | 'quote' | 'third';
export type ExpiryReason =
  | 'NONE'
  | 'EXCHANGE_CANCELED'
  | 'UNFILLED_IOC_QUANTITY_EXPIRED'
  | 'UNFILLED_FOK_ORDER_EXPIRED'
  | 'INSUFFICIENT_LIQUIDITY';

/** An order that the venue took, as it stood at that moment. `lock` moves from free to locked. */
export type AcceptedOrder = {
  readonly kind: 'order';
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly side: Side;
  readonly type: PaperOrderType;
  readonly timeInForce: TimeInForce;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | null;
  /** Waits until the market trades there; null = works at once. */
  readonly stopPrice: Decimal | null;
  readonly preventionMode: PreventionMode;
  /** As the venue's rules stood when it was taken: its lock was made for that. */
  readonly feeIn: FeeIn;
  readonly lock: { readonly asset: string; readonly quantity: Decimal };
  readonly origin: OrderOrigin;
  /** The HTTP request that brought it; null for an order by a person. */
  readonly requestId: number | null;
  readonly receivedAtMs: number;
  readonly acceptedAtMs: number;
};

/** One execution of an order. `tradeId` is the venue's, contiguous per symbol together with the market's own trades. */
export type Fill = {
  readonly kind: 'fill';
  readonly tradeId: number;
  readonly orderId: number;
  readonly symbol: string;
  readonly side: Side;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly quoteQuantity: Decimal;
  readonly fee: Decimal;
  readonly feeAsset: string;
  readonly isMaker: boolean;
  /** What the order still holds of its lock afterwards: what a better price saved goes back to free at once. */
  readonly lockedAfter: Decimal;
  readonly tradedAtMs: number;
};

/** The market traded at a stop order's price: from here on it works. */
export type OrderTriggered = {
  readonly kind: 'triggered';
  readonly orderId: number;
  /** The trade that triggered it. */
  readonly price: Decimal;
  /** What the order holds from here on: a stop at the market needs what the book asks now. */
  readonly locked: Decimal;
  readonly triggeredAtMs: number;
};

export type OrderClosed = {
  readonly kind: 'closed';
  readonly orderId: number;
  readonly status: ClosedStatus;
  readonly reason: ExpiryReason;
  /** The client id of the cancel; null when the venue closed it by itself. */
  readonly cancelId: string | null;
  readonly closedAtMs: number;
};

/** Two orders of the account met and did not trade. Ids are counted from 0 per symbol. */
export type PreventedMatch = {
  readonly kind: 'prevented';
  readonly preventedMatchId: number;
  readonly symbol: string;
  readonly takerOrderId: number;
  readonly makerOrderId: number;
  readonly mode: PreventionMode;
  readonly price: Decimal;
  /** What each of them would still have traded; null for the one that goes on. */
  readonly takerQuantity: Decimal | null;
  readonly makerQuantity: Decimal | null;
  readonly preventedAtMs: number;
};

/** From here on the venue tells a fill otherwise than it was. The account has what the fill itself says. */
export type FillEdited = {
  readonly kind: 'fillEdited';
  readonly symbol: string;
  readonly tradeId: number;
  readonly told: Partial<Pick<Fill, 'price' | 'quantity' | 'quoteQuantity' | 'fee' | 'feeAsset'>>;
  readonly editedAtMs: number;
};

/** An order that ended with nothing executed, and that the venue no longer answers for. */
export type OrderArchived = {
  readonly kind: 'archived';
  readonly orderId: number;
  readonly archivedAtMs: number;
};

export type BalanceChange = {
  readonly kind: 'balance';
  readonly asset: string;
  readonly change: Decimal;
  readonly reason: 'deposit' | 'withdrawal' | 'external';
  readonly changedAtMs: number;
};

/** Which prices the venue plays from here on, and the rules of their symbols. */
export type MarketOpened = {
  readonly kind: 'market';
  /** Counted from 1 over the venue's life. */
  readonly market: number;
  readonly fingerprint: string;
  readonly name: string;
  readonly symbols: readonly Market[];
  readonly openedAtMs: number;
};

/** How far a request got. `validated` = it stood before the matching engine, which may have refused it. */
export type RequestPhase = 'received' | 'authenticated' | 'validated' | 'accepted' | 'matched';

/** One request as the venue saw it, whether or not its answer ever left. */
export type RequestRecord = {
  readonly kind: 'request';
  readonly requestId: number;
  readonly receivedAtMs: number;
  readonly method: string;
  readonly path: string;
  /** Without the signature. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly phase: RequestPhase;
  /** Whether an order was placed or canceled by it. */
  readonly accepted: boolean;
  /** Whether the true answer was sent, whole. */
  readonly answered: boolean;
  readonly httpStatus: number | null;
  readonly code: number | null;
  readonly message: string | null;
  readonly faults: readonly string[];
};

export type LedgerEntry =
  | AcceptedOrder
  | OrderTriggered
  | Fill
  | PreventedMatch
  | OrderClosed
  | FillEdited
  | OrderArchived
  | BalanceChange
  | MarketOpened
  | RequestRecord;

/** What one command changed: written in one line, so that a kill loses all of it or nothing. */
type LedgerGroup = { readonly seq: number; readonly entries: readonly LedgerEntry[] };

/** The venue's own book-keeping, append-only. `hash` chains every line, so equal histories have equal hashes. */
export type Ledger = {
  readonly groups: readonly LedgerGroup[];
  /** Returns once the group would survive a loss of power (`durable`) or a kill of the process. */
  append(entries: readonly LedgerEntry[], durable: boolean): void;
  hash(): string;
  close(): void;
};

/** Opens the ledger file, or one in memory when there is no path. A last line that was cut off is dropped. */
export function openLedger(path: string | null): Ledger {
  const groups: LedgerGroup[] = [];
  let hash = '';
  const chain = (line: string): void => {
    hash = createHash('sha256').update(hash).update(line).digest('hex');
  };
  const file = path === null ? null : openFile(path, groups, chain);
  return {
    groups,
    append(entries, durable) {
      const group = { seq: groups.length + 1, entries };
      const line = JSON.stringify(group);
      if (file !== null) writeSync(file, `${line}\n`);
      if (file !== null && durable) fdatasyncSync(file);
      groups.push(group);
      chain(line);
    },
    hash: () => hash,
    close() {
      if (file !== null) closeSync(file);
    },
  };
}

function openFile(path: string, groups: LedgerGroup[], chain: (line: string) => void): number {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  for (const [index, line] of whole.split('\n').slice(0, -1).entries()) {
    groups.push(parseGroup(line, index + 1, path));
    chain(line);
  }
  const file = openSync(path, 'a');
  ftruncateSync(file, Buffer.byteLength(whole));
  return file;
}

function parseGroup(line: string, seq: number, path: string): LedgerGroup {
  try {
    const group = JSON.parse(line) as LedgerGroup;
    if (group.seq === seq) return group;
  } catch {
    // Falls through to the refusal: a line that is no JSON and a line out of order are the same damage.
  }
  throw new RatchetError('PAPER_LEDGER_DAMAGED', { file: path, line: seq });
}
