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

/** Gives the bodies their places in the chain, as a sealer does. */
export function chained(bodies: readonly string[], after?: SealedRecord): SealedRecord[] {
  const records: SealedRecord[] = [];
  for (const body of bodies) {
    const last = records.at(-1) ?? after;
    const seq = (last?.seq ?? 0) + 1;
    const prev = last?.hash ?? origin;
    const leaf = leafOf(body);
    const { type, tradeId } = JSON.parse(body) as Told;
    records.push({ seq, eventType: type, tradeId: tradeId ?? null, body, prev, leaf, hash: linkOf(seq, prev, leaf) });
  }
  return records;
}

export const sealed = (told: readonly Told[]): SealedRecord[] => chained(told.map((event) => JSON.stringify(event)));

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
