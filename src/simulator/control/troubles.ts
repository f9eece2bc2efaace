import type { StreamKind } from '../conditions.ts';
import type { Venue } from '../exchange/exchange.ts';
import type { Market } from '../exchange/market.ts';
import type { FaultRule } from '../faults/faults.ts';
import { type Stage, streamKinds } from './stage.ts';

// What can be wrong with the venue for a while, for commands and scenarios alike. A time of null lasts until it is ended.

export function ban({ core: { limits, clock }, troubles }: Stage, forMs: number): void {
  troubles.begin('ban', forMs, () => {
    limits.banUntil(clock.nowMs() + forMs);
    return () => limits.banUntil(0);
  });
}

/** A blackout ends the streams, too; the market goes on inside, and resting orders fill. */
export function outage(stage: Stage, kind: 'firewall' | 'blackout', forMs: number | null): void {
  const { core, streams, troubles } = stage;
  troubles.end(kind === 'firewall' ? 'blackout' : 'firewall');
  troubles.begin(kind, forMs, () => {
    core.conditions.outage = kind;
    if (kind === 'blackout') for (const each of streamKinds) streams.close(each, 1001);
    return () => {
      core.conditions.outage = null;
    };
  });
}

export function silence(stage: Stage, kinds: readonly StreamKind[], forMs: number | null): void {
  const { silent } = stage.core.conditions;
  stage.troubles.begin('silence', forMs, () => {
    for (const kind of kinds) silent.add(kind);
    return () => silent.clear();
  });
}

/** Ends the subscriptions of the key, as the exchange does, and refuses it from here on. */
export function revokeKey({ core: { conditions }, streams, troubles }: Stage, forMs: number | null): void {
  troubles.begin('key-revoked', forMs, () => {
    conditions.isKeyRevoked = true;
    streams.endSubscriptions();
    return () => {
      conditions.isKeyRevoked = false;
    };
  });
}

/** Other rules of a symbol, or another depth of its book. What they were comes back, and nothing that was changed since. */
export function changeMarket(
  { troubles }: Stage,
  name: string,
  venue: Venue,
  rules: Partial<Market>,
  forMs: number | null,
): void {
  troubles.begin(name, forMs, () => {
    const before = Object.fromEntries(Object.keys(rules).map((rule) => [rule, venue.market[rule as keyof Market]]));
    venue.market = { ...venue.market, ...rules };
    return () => {
      venue.market = { ...venue.market, ...before };
    };
  });
}

/** Rules of the plan that belong together. */
export function planFor(
  { core: { faults }, troubles }: Stage,
  name: string,
  rules: readonly FaultRule[],
  forMs: number | null,
): void {
  troubles.begin(name, forMs, () => {
    const named = rules.map((rule, index) => ({ ...rule, id: `${name}-${index + 1}` }));
    faults.add(named);
    return () => {
      for (const { id } of named) faults.remove(id);
    };
  });
}
