import { createHash } from 'node:crypto';
import type { OrderPurpose } from '../domain/order.ts';

/** What makes an order the one it is. `generation` counts from 1 and rises only after the earlier one is given up. */
export type OrderIdentity = {
  readonly tradeId: string;
  readonly leg: number;
  readonly purpose: OrderPurpose;
  readonly generation: number;
};

const prefixes: Record<OrderPurpose, string> = { entry: 'rte-', exit: 'rtx-', stop: 'rts-' };
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * The id an order goes by at the venue: the same identity always gives the same id, so that whoever takes over after a
 * crash can look the order up. 32 characters of `[a-z0-9-]`, nothing personal, no word a firewall could take for SQL.
 */
export function clientOrderIdOf({ tradeId, leg, purpose, generation }: OrderIdentity): string {
  const digest = createHash('sha256').update(`${tradeId}|${leg}|${purpose}|${generation}`).digest();
  return prefixes[purpose] + base32(digest).slice(0, 28);
}

/** Whether an id is one of ours for an entry order: what a halt may cancel where nobody can look the order up. */
export const isEntryOrderId = (clientOrderId: string): boolean => /^rte-[a-z2-7]{28}$/.test(clientOrderId);

/** RFC 4648 in lower case, without padding. */
function base32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
}
