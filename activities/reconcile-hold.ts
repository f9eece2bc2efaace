import type { ReconciliationReport } from '../src/contracts/messages/reconciliation.ts';
import type { Decimal } from '../src/domain/decimal.ts';
import { excessOf } from '../src/domain/reconciliation/limits.ts';
import { holdsInForce, liftHold, setHold } from '../src/store/holds.ts';
import type { ActivityDependencies, VenueRoom } from './dependencies.ts';

const priceWaitMs = 500;

/**
 * Blocks entries of the account while more differs than may, and lets them go on by the first run that has read
 * everything and finds no more than that. It lifts its own hold only, and no hold stops an exit.
 */
export async function holdOrLift(
  deps: ActivityDependencies,
  room: VenueRoom,
  { account, parts, differences }: ReconciliationReport,
): Promise<void> {
  const { db, now, reconciliation } = deps;
  const { currency } = reconciliation.tolerances;
  const scope = { kind: 'account', id: account } as const;
  const own = (await holdsInForce(db, now())).find(
    (hold) => hold.source === 'reconciliation' && hold.scope.kind === 'account' && hold.scope.id === account,
  );
  const found = differences.map(({ difference }) => difference);
  const prices = await pricesOf(
    room,
    found.flatMap((each) => (each.kind === 'balance' && each.asset !== currency ? [`${each.asset}/${currency}`] : [])),
  );
  const excess = excessOf(found, reconciliation.limits, currency, (symbol) => prices.get(symbol) ?? null);
  const source = 'reconciliation';
  const actor = `reconciliation of ${account}`;
  if (excess !== null) {
    if (own === undefined) {
      await setHold(db, { scope, source, level: 'entries-blocked', actor, reason: excess, nowMs: now() });
    }
  } else if (own !== undefined && Object.values(parts).every((part) => part === 'read')) {
    const reason = 'everything was read, and no more differs than may';
    await liftHold(db, { scope, source, version: own.version, actor, reason, nowMs: now() });
  }
}

/** What can be told; an asset whose price nobody knows stays without one. */
async function pricesOf({ prices }: VenueRoom, symbols: readonly string[]): Promise<ReadonlyMap<string, Decimal>> {
  const found = await Promise.all(
    symbols.map(async (symbol) => {
      const latest = await prices.awaitPrice(symbol, priceWaitMs).catch(() => null);
      return latest === null ? [] : [[symbol, latest.price] as const];
    }),
  );
  return new Map(found.flat());
}
