import { createAmendTrailingStop } from './amend-trailing-stop.ts';
import { createArmGuards, createArmTrailingStop } from './arm-guards.ts';
import { createCancelOrder } from './cancel-order.ts';
import { createCancelSweep } from './cancel-sweep.ts';
import { createCheckLimits } from './check-limits.ts';
import { createCollectFills } from './collect-fills.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createDisarmGuards } from './disarm-guards.ts';
import { createFindOrder } from './find-order.ts';
import { createFoldBreaker } from './fold-breaker.ts';
import { createHaltTrading } from './halt-trading.ts';
import { createPlaceOrder } from './place-order.ts';
import { createPlanExit } from './plan-exit.ts';
import { createPlanProtection } from './plan-protection.ts';
import { createReconcileAccount } from './reconcile-account.ts';
import { createSettleCorrection } from './reconcile-correction.ts';
import { createReplaceOrder } from './replace-order.ts';
import { createRequestExit } from './request-exit.ts';
import { createResumeTrading } from './resume-trading.ts';
import { createSettleTrade } from './settle-trade.ts';
import { createWatchAccount } from './watch-account.ts';
import { createWatchMarket } from './watch-market.ts';

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
