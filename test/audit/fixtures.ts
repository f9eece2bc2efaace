import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyTree, grow, leafOf, linkOf, origin, rootOf } from '../../src/audit/chain.ts';
import { type SigningKey, signCheckpoint } from '../../src/audit/checkpoint.ts';
import type { SealedRecord, StoredCheckpoint } from '../../src/audit/log.ts';
import type { AuditSource } from '../../src/audit/verify.ts';

export const aKey = (name = 'ratchet/audit'): SigningKey => ({ name, key: generateKeyPairSync('ed25519').privateKey });

export const aFolder = (): string => mkdtempSync(join(tmpdir(), 'ratchet-audit-'));

export type Told = { readonly type: string; readonly tradeId?: string; readonly [field: string]: unknown };

type Stamp = { readonly _eventId: string; readonly _insertNo: number; readonly _recordedAt: string };

/** The story of one trade, from its decision to its end. */
export const aTrade = (tradeId: string): readonly Told[] => [
  { type: 'TradeDecided', tradeId, outcome: 'approved' },
  { type: 'OrderIntent', tradeId, clientOrderId: `${tradeId}-e1` },
  { type: 'OrderAcked', tradeId, clientOrderId: `${tradeId}-e1` },
  { type: 'Fill', tradeId, clientOrderId: `${tradeId}-e1`, quantity: '0.5' },
  { type: 'ExitIntent', tradeId, clientOrderId: `${tradeId}-x1` },
  { type: 'Fill', tradeId, clientOrderId: `${tradeId}-x1`, quantity: '0.5' },
  { type: 'PositionClosed', tradeId, pnl: '1.25' },
];

/** The text of a record as the database stores it: with its own columns in front. */
export function stamped(told: Told, insertNo: number, recordedAt = momentOf(insertNo)): string {
  return JSON.stringify({ _eventId: eventIdOf(insertNo), _insertNo: insertNo, _recordedAt: recordedAt, ...told });
}

const eventIdOf = (insertNo: number): string => `00000000-0000-8000-8000-${String(insertNo).padStart(12, '0')}`;
const momentOf = (insertNo: number): string =>
  new Date(1_795_262_400_000 + insertNo).toISOString().replace('Z', '000Z');

/** Gives the bodies their places in the chain, as a sealer does. */
export function chained(bodies: readonly string[], after?: SealedRecord): SealedRecord[] {
  const records: SealedRecord[] = [];
  for (const body of bodies) {
    const last = records.at(-1) ?? after;
    const seq = (last?.seq ?? 0) + 1;
    const prev = last?.hash ?? origin;
    const leaf = leafOf(body);
    const told = JSON.parse(body) as Told & Stamp;
    const { type: eventType, tradeId = null, _eventId: eventId, _insertNo: insertNo, _recordedAt: recordedAt } = told;
    const hash = linkOf(seq, prev, leaf);
    records.push({ seq, eventType, tradeId, eventId, insertNo, recordedAt, body, prev, leaf, hash });
  }
  return records;
}

export const sealed = (told: readonly Told[]): SealedRecord[] => chained(told.map((event, i) => stamped(event, i + 1)));

export function checkpointOf(records: readonly SealedRecord[], key: SigningKey): StoredCheckpoint {
  const tree = grow(
    emptyTree,
    records.map(({ leaf }) => leaf),
  );
  const [root, chain] = [rootOf(tree), records.at(-1)?.hash ?? origin];
  return { tree, root, chain, note: signCheckpoint({ origin: key.name, size: tree.size, root, chain }, key) };
}

/** The whole log, with a checkpoint of each of the sizes inside and outside of the database. */
export function aSource(
  records: readonly SealedRecord[],
  key: SigningKey,
  sizes: readonly number[] = [records.length],
): AuditSource {
  const storedCheckpoints = sizes.map((size) => checkpointOf(records.slice(0, size), key));
  return {
    storedCheckpoints,
    externalNotes: storedCheckpoints.map(({ note }) => note),
    head: headOf(records),
    unsealed: 0,
    records: [records],
  };
}

export const headOf = (records: readonly SealedRecord[]): AuditSource['head'] => ({
  seq: records.length,
  hash: records.at(-1)?.hash ?? origin,
  lastSeq: records.length,
});
