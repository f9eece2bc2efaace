import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Actor, EventEnvelope, EventType } from '../contracts/messages/events.ts';
import { canonicalJson } from './canonical.ts';
import type { Tx } from './database.ts';

export type AuditRecord = {
  readonly type: EventType;
  /** With the type, what makes this event this one: the same key again is the same event and adds nothing. */
  readonly key: readonly (string | number)[];
  readonly tradeId?: string;
  readonly atMs: number;
  readonly actor: Actor;
  readonly data: Readonly<Record<string, unknown>>;
};

/**
 * Adds the record in the transaction of the change, so that neither can exist without the other. The same event with
 * the same content is a no-op; with other content it throws `EVENT_CONFLICT` and the transaction is lost.
 */
export const record = (tx: Tx, event: AuditRecord): Promise<void> => recordAll(tx, [event]);

/** Adds several records, in their order. */
export async function recordAll(tx: Tx, events: readonly AuditRecord[]): Promise<void> {
  if (events.length === 0) return;
  const encoded = events.map(encodeRecord);
  await sql`
    select record_events(${encoded.map(({ eventId }) => eventId)}::uuid[], ${events.map(({ type }) => type)}::text[],
      ${events.map(({ tradeId }) => tradeId ?? null)}::text[], ${encoded.map(({ body }) => body)}::text[])
  `.execute(tx);
}

/** The record as it is stored and hashed, for the statements that write it on the server. */
export function encodeRecord(event: AuditRecord): { readonly eventId: string; readonly body: string } {
  const { type, tradeId, actor } = event;
  const envelope: EventEnvelope = {
    v: 1,
    type,
    at: utcMicroseconds(event.atMs),
    ...(tradeId !== undefined && { tradeId }),
    actor,
  };
  return { eventId: eventIdOf(type, event.key), body: canonicalJson({ ...event.data, ...envelope }) };
}

/** A UUID (version 8, RFC 9562) made of the hash of type and key. */
function eventIdOf(type: EventType, key: AuditRecord['key']): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([type, ...key]))
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** RFC 3339 in UTC. Our clock knows milliseconds; the form has room for a better one. */
const utcMicroseconds = (atMs: number): string => new Date(atMs).toISOString().replace('Z', '000Z');
