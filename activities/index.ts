import { createWatchAccount } from './account/watch-account.ts';
import { createCheckLimits } from './check-limits.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createPlanExit } from './exits/plan-exit.ts';
import { createRequestExit } from './exits/request-exit.ts';
import { createSettleTrade } from './exits/settle-trade.ts';
import { createAmendTrailingStop } from './guards/amend-trailing-stop.ts';
import { createArmGuards, createArmTrailingStop } from './guards/arm-guards.ts';
import { createDisarmGuards } from './guards/disarm-guards.ts';
import { createPlanProtection } from './guards/plan-protection.ts';
import { createWatchMarket } from './guards/watch-market.ts';
import { createCancelOrder } from './orders/cancel-order.ts';
import { createCollectFills } from './orders/collect-fills.ts';
import { createFindOrder } from './orders/find-order.ts';
import { createPlaceOrder } from './orders/place-order.ts';
import { createReplaceOrder } from './orders/replace-order.ts';
import { createReconcileAccount } from './reconciliation/reconcile-account.ts';
import { createSettleCorrection } from './reconciliation/reconcile-correction.ts';
import { createCancelSweep } from './trading-state/cancel-sweep.ts';
import { createFoldBreaker } from './trading-state/fold-breaker.ts';
import { createHaltTrading } from './trading-state/halt-trading.ts';
import { createResumeTrading } from './trading-state/resume-trading.ts';

export type Activities = ReturnType<typeof createActivities>;

/** Everything the lifecycles can have done, made from one set of dependencies. */
export const createActivities = (deps: ActivityDependencies) => ({
  amendTrailingStop: createAmendTrailingStop(deps),
  armGuards: createArmGuards(deps),
  armTrailingStop: createArmTrailingStop(deps),
  cancelOrder: createCancelOrder(deps),
  cancelSweep: createCancelSweep(deps),
  checkLimits: createCheckLimits(deps),
  collectFills: createCollectFills(deps),
  disarmGuards: createDisarmGuards(deps),
  findOrder: createFindOrder(deps),
  foldBreaker: createFoldBreaker(deps),
  haltTrading: createHaltTrading(deps),
  placeOrder: createPlaceOrder(deps),
  planExit: createPlanExit(deps),
  planProtection: createPlanProtection(deps),
  reconcileAccount: createReconcileAccount(deps),
  replaceOrder: createReplaceOrder(deps),
  requestExit: createRequestExit(deps),
  resumeTrading: createResumeTrading(deps),
  settleCorrection: createSettleCorrection(deps),
  settleTrade: createSettleTrade(deps),
  watchAccount: createWatchAccount(deps),
  watchMarket: createWatchMarket(deps),
});
