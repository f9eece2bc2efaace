import type { Db } from '../../src/store/database.ts';
import { partsOf, planOf } from './orders-parts.ts';
import { drawOrders, type OrdersPlan } from './orders-plan.ts';
import { playOrders } from './orders-play.ts';
import type { Played } from './played.ts';
import { drawPure, type PureEvent, type PurePlan } from './pure-plan.ts';
import { playPure } from './pure-play.ts';
import { shrink } from './shrink.ts';

export type SwarmPlan = OrdersPlan | PurePlan;
export type LayerName = SwarmPlan['layer'];

export const layerNames = ['pure', 'orders'] as const satisfies readonly LayerName[];

/** What a layer plays on. Each play on the database has an account of its own. */
export type Ground = { readonly db: () => Promise<Db>; readonly nextAccount: () => string };

export const drawPlan = (layer: LayerName, seed: number): SwarmPlan =>
  layer === 'pure' ? drawPure(seed) : drawOrders(seed);

export async function playPlan(plan: SwarmPlan, { db, nextAccount }: Ground): Promise<Played> {
  return plan.layer === 'pure' ? playPure(plan) : playOrders(await db(), nextAccount(), plan);
}

/** The smallest plan that is still broken, in the same way or another. */
export async function shrinkPlan(plan: SwarmPlan, ground: Ground): Promise<SwarmPlan> {
  const isBroken = async (smaller: SwarmPlan) => (await playPlan(smaller, ground)).faults.length > 0;
  if (plan.layer === 'pure') return shrinkPure(plan, isBroken);
  return planOf(plan, await shrink(partsOf(plan), (kept) => isBroken(planOf(plan, kept))));
}

/** The trades that it takes, and of each the events that it takes. */
async function shrinkPure(plan: PurePlan, isBroken: (smaller: PurePlan) => Promise<boolean>): Promise<PurePlan> {
  let trades = await shrink(plan.trades, (kept) => isBroken({ ...plan, trades: kept }), 2_000);
  for (const [i, trade] of trades.entries()) {
    const shortened = (events: readonly PureEvent[]) => trades.with(i, { ...trade, events });
    const events = await shrink(trade.events, (kept) => isBroken({ ...plan, trades: shortened(kept) }), 2_000);
    trades = shortened(events);
  }
  return { ...plan, trades };
}
