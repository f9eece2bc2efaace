import type { Decimal } from '../../src/domain/decimal.ts';
import type { Difference } from '../../src/domain/reconciliation/difference.ts';
import { excessOf } from '../../src/domain/reconciliation/limits.ts';
import { liftExcess, setExcess } from '../../src/store/reconciliation/hold.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';

const priceWaitMs = 500;

/**
 * Blocks entries of the account while more differs than may, and lets them go on by the first run that has read
 * everything and finds no more than that. It lifts its own hold only, and no hold stops an exit.
 */
export async function holdOrLift(
  { db, now, reconciliation }: ActivityDependencies,
  room: VenueRoom,
  account: string,
  { differences, isComplete }: { readonly differences: readonly Difference[]; readonly isComplete: boolean },
): Promise<void> {
  const { currency } = reconciliation.tolerances;
  const prices = await pricesOf(
    room,
    differences.flatMap((each) =>
      each.kind === 'balance' && each.asset !== currency ? [`${each.asset}/${currency}`] : [],
    ),
  );
  const excess = excessOf(differences, reconciliation.limits, currency, (symbol) => prices.get(symbol) ?? null);
  if (excess !== null) await setExcess(db, { account, reason: excess, nowMs: now() });
  else if (isComplete) await liftExcess(db, { account, nowMs: now() });
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
