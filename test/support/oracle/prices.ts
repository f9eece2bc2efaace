import Big from 'big.js';
import type { AuditEvent } from '../evidence.ts';
import { type Check, verdict } from './check.ts';

/**
 * The stop is monotone: a trailing stop never loosens; triggers use only valid, fresh ticks, per monitor history. Only
 * long positions are traded here: their stops may rise and never fall, and a price at or below the stop triggers it. A
 * trade that nobody has seen may trigger late; its price is what counts.
 */
export const I14: Check = ({ events }) => {
  const highest = new Map<string, Big>();
  const loosened = events.flatMap(({ type, tradeId, body }) => {
    const stop = stopOf(type, body);
    if (stop === undefined) return [];
    const key = `${tradeId} ${String(body['kind'])} ${String(body['leg'] ?? 0)}`;
    const before = highest.get(key);
    highest.set(key, before?.gt(stop) ? before : new Big(stop));
    return before?.gt(stop) ? [`the stop ${key} fell from ${before.toFixed()} to ${stop}`] : [];
  });
  const triggers = events.filter(({ type }) => type === 'StopTriggered');
  return verdict(highest.size + triggers.length, loosened, triggers.flatMap(triggerFaults));
};

function stopOf(type: string, body: AuditEvent['body']): string | undefined {
  const state = body['state'] as { stopPrice?: string | null } | undefined;
  if (type === 'StopMoved' || type === 'StopActivated') return (body['stopPrice'] as string | null) ?? undefined;
  if (type === 'StopArmed' || type === 'StopTriggered') return state?.stopPrice ?? undefined;
  return undefined;
}

function triggerFaults({ tradeId, body, recordedAtMs }: AuditEvent): readonly string[] {
  const { price, kind, tradedAtMs, venueTradeId } = body;
  const what = `${tradeId} ${String(kind)}`;
  if (!isPrice(price)) return [`${what} was triggered by the price ${String(price)}`];
  const stop = stopOf('StopTriggered', body);
  return [
    ...(stop !== undefined && new Big(price).gt(stop)
      ? [`${what} was triggered at ${price}, above its stop ${stop}`]
      : []),
    ...(/^\d+$/.test(String(venueTradeId)) ? [] : [`${what} was triggered by no trade of the venue`]),
    ...(Number(tradedAtMs) > recordedAtMs + 1_000 ? [`${what} was triggered by a price of the future`] : []),
  ];
}

const isPrice = (price: unknown): price is string =>
  typeof price === 'string' && /^\d+(\.\d+)?$/.test(price) && new Big(price).gt(0);

/**
 * No decision on a price that is NaN, infinite, <= 0, crossed, older than maxAge or out of sequence; the decision record
 * carries tick id and age.
 */
export const I15: Check = ({ events, accounts }) => {
  const approved = events.filter(({ type, body }) => type === 'TradeDecided' && body['outcome'] === 'approved');
  const newest = new Map<string, bigint>();
  return verdict(
    approved.length,
    approved.flatMap(({ tradeId, body }) => {
      const price = body['price'] as { last?: unknown; ageMs?: unknown; venueTradeId?: unknown } | undefined;
      const account = accounts.find(({ account_id }) => account_id === body['account']);
      const ageMsMax = Number(account?.limits['priceAgeMsMax'] ?? 0);
      const what = `${tradeId} was decided`;
      if (!isPrice(price?.last)) return [`${what} on the price ${String(price?.last)}`];
      if (!/^\d+$/.test(String(price.venueTradeId))) return [`${what} on a price without a trade of the venue`];
      if (!(Number(price.ageMs) <= ageMsMax)) return [`${what} on a price ${String(price.ageMs)} ms old`];
      return staleFaults(
        newest,
        String((body['legs'] as { symbol: string }[] | undefined)?.[0]?.symbol),
        tradeId,
        BigInt(String(price.venueTradeId)),
      );
    }),
  );
};

// Decisions of several trades are recorded in another order than their prices were read, but never far from it.
const readAheadMax = 1_000n;

function staleFaults(
  newest: Map<string, bigint>,
  symbol: string,
  tradeId: string | null,
  id: bigint,
): readonly string[] {
  const before = newest.get(symbol) ?? 0n;
  if (id > before) newest.set(symbol, id);
  return id + readAheadMax < before ? [`${tradeId} was decided on trade ${id}, after one on ${before}`] : [];
}
