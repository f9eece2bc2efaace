import type { Db } from '../../src/store/database.ts';
import { partsOf, planOf } from './orders-parts.ts';
import { drawOrders, type OrdersPlan } from './orders-plan.ts';
import { playOrders } from './orders-play.ts';
import type { Played } from './played.ts';
import { drawProcesses, type ProcessesPlan } from './processes-plan.ts';
import { playProcesses } from './processes-play.ts';
import type { Arenas } from './processes-stack.ts';
import { drawPure, type PureEvent, type PurePlan } from './pure-plan.ts';
import { playPure } from './pure-play.ts';
import { shrink } from './shrink.ts';

export type SwarmPlan = PurePlan | OrdersPlan | ProcessesPlan;
export type LayerName = SwarmPlan['layer'];

export const layerNames = ['pure', 'orders', 'processes'] as const satisfies readonly LayerName[];

/** What a layer plays on. Each play on the database has an account of its own. */
export type Ground = {
  readonly db: () => Promise<Db>;
  readonly nextAccount: () => string;
  readonly arenas: () => Arenas;
};

const draw = { pure: drawPure, orders: drawOrders, processes: drawProcesses } as const;

export const drawPlan = (layer: LayerName, seed: number): SwarmPlan => draw[layer](seed);

export async function playPlan(plan: SwarmPlan, { db, nextAccount, arenas }: Ground): Promise<Played> {
  switch (plan.layer) {
    case 'pure':
      return playPure(plan);
    case 'orders':
      return playOrders(await db(), nextAccount(), plan);
    case 'processes':
      return arenas().playOn(plan.unresolved, (arena) => playProcesses(arena, plan));
  }
}

/**
 * The smallest plan that is still broken, in the same way or another. A round of real processes takes a minute and never
 * goes the same way twice: it is kept whole.
 */
export async function shrinkPlan(plan: SwarmPlan, ground: Ground): Promise<SwarmPlan> {
  const isBroken = async (smaller: SwarmPlan) => (await playPlan(smaller, ground)).faults.length > 0;
  if (plan.layer === 'processes') return plan;
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
