import type { SimulatorClock } from '../clock.ts';
import { Refusal, refusals } from '../exchange/refusal.ts';

/** The venue's limits. Windows are fixed, not sliding: minutes begin at :00, ten-second windows at :00, :10, … */
export type Limits = {
  readonly weightPerMinute: number;
  readonly ordersPer10s: number;
  readonly ordersPerDay: number;
  /** So many requests in spite of 429 within one minute, and the address is banned. */
  readonly warningsMax: number;
  /** The first ban; each further one is twice as long, three days at most. */
  readonly banMs: number;
};

export const standardLimits: Limits = {
  weightPerMinute: 6_000,
  ordersPer10s: 50,
  ordersPerDay: 160_000,
  warningsMax: 10,
  banMs: 120_000,
};

export type RateLimits = {
  /** The refusal of anything from this address now, or null. A request in spite of a 429 counts toward a ban. */
  refusal(): Refusal | null;
  charge(weight: number): void;
  /** The weight used in this minute. */
  used(): number;
  /** Counts a new order, or says why it may not come. */
  chargeOrder(): Refusal | null;
  /** An order's first fill takes one off the count again. */
  orderFilled(): void;
  headers(): Readonly<Record<string, string>>;
  readonly limits: Limits;
  /** How many unfilled orders count in each window. */
  orderCounts(): { readonly tenSeconds: number; readonly day: number };
  /** Other limits from now on. */
  change(limits: Partial<Limits>): void;
  /** The weight of this minute is used up. */
  exhaust(): void;
  /** Refuses everything from this address until then, and nothing any more where then is past. */
  banUntil(untilMs: number): void;
};

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const dayMs = 1_440 * minuteMs;
const banMaxMs = 3 * dayMs;

type Counter = { add(count: number): void; count(): number; endsInSeconds(): number };

function windowCounter(clock: SimulatorClock, lengthMs: number): Counter {
  let window = -1;
  let counted = 0;
  const roll = (): void => {
    const current = Math.floor(clock.nowMs() / lengthMs);
    if (current !== window) counted = 0;
    window = current;
  };
  return {
    add(count) {
      roll();
      counted = Math.max(0, counted + count);
    },
    count() {
      roll();
      return counted;
    },
    endsInSeconds: () => Math.ceil((lengthMs - (clock.nowMs() % lengthMs)) / secondMs),
  };
}

export function createRateLimits(first: Limits, clock: SimulatorClock): RateLimits {
  let limits = first;
  const weight = windowCounter(clock, minuteMs);
  const warnings = windowCounter(clock, minuteMs);
  const tenSeconds = windowCounter(clock, 10 * secondMs);
  const day = windowCounter(clock, dayMs);
  let bannedUntilMs = 0;
  let nextBanMs = limits.banMs;

  const ban = (): void => {
    bannedUntilMs = clock.nowMs() + nextBanMs;
    nextBanMs = Math.min(banMaxMs, nextBanMs * 2);
  };

  const refusal = (): Refusal | null => {
    if (clock.nowMs() < bannedUntilMs) return banned(bannedUntilMs, clock.nowMs());
    if (weight.count() < limits.weightPerMinute) return null;
    warnings.add(1);
    if (warnings.count() > limits.warningsMax) ban();
    if (clock.nowMs() < bannedUntilMs) return banned(bannedUntilMs, clock.nowMs());
    return tooMuchWeight(limits.weightPerMinute, weight.endsInSeconds());
  };

  const chargeOrder = (): Refusal | null => {
    if (day.count() >= limits.ordersPerDay)
      return refusals.tooManyOrders(limits.ordersPerDay, '1 DAY', day.endsInSeconds());
    if (tenSeconds.count() >= limits.ordersPer10s) {
      return refusals.tooManyOrders(limits.ordersPer10s, '10 SECOND', tenSeconds.endsInSeconds());
    }
    for (const counter of [day, tenSeconds]) counter.add(1);
    return null;
  };

  return {
    get limits() {
      return limits;
    },
    refusal,
    chargeOrder,
    charge: (cost) => weight.add(cost),
    used: () => weight.count(),
    orderFilled() {
      for (const counter of [day, tenSeconds]) counter.add(-1);
    },
    orderCounts: () => ({ tenSeconds: tenSeconds.count(), day: day.count() }),
    change(changed) {
      limits = { ...limits, ...changed };
    },
    exhaust: () => weight.add(Math.max(0, limits.weightPerMinute - weight.count())),
    banUntil(untilMs) {
      bannedUntilMs = untilMs;
    },
    headers: () => ({
      'X-MBX-USED-WEIGHT': String(weight.count()),
      'X-MBX-USED-WEIGHT-1M': String(weight.count()),
      'X-MBX-ORDER-COUNT-10S': String(tenSeconds.count()),
      'X-MBX-ORDER-COUNT-1D': String(day.count()),
    }),
  };
}

const streamsInstead = 'Please use WebSocket Streams for live updates to avoid';

function banned(untilMs: number, nowMs: number): Refusal {
  const text = `Way too much request weight used; IP banned until ${untilMs}. ${streamsInstead} bans.`;
  return new Refusal(418, -1003, text, { 'Retry-After': String(Math.ceil((untilMs - nowMs) / secondMs)) });
}

function tooMuchWeight(limit: number, retryAfterSeconds: number): Refusal {
  const used = `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE.`;
  const headers = { 'Retry-After': String(retryAfterSeconds) };
  return new Refusal(429, -1003, `${used} ${streamsInstead} polling the API.`, headers);
}
