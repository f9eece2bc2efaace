import type { FaultRule } from '../../src/simulator/faults/faults.ts';
import type { Stack } from '../support/stack.ts';
import {
  aRequest,
  enterApproved,
  openTrade,
  type Terms,
  untilHeld,
  untilPhase,
  untilWatched,
} from '../support/trading.ts';
import { until } from '../support/until.ts';
import type { CrashCase, OrderKind } from './cases.ts';

/** The play of one case, around the moment at which its point is planned. */
export type Scene = {
  /** Brings the trade to where it is one step away from the point. */
  readonly arrange: () => Promise<void>;
  /** Goes that step. It may never return: whoever would answer it dies. */
  readonly begin: () => Promise<unknown>;
  /** What the market does meanwhile, so that the worker gets to the point. */
  readonly urge?: () => Promise<void>;
  /** Once the trade is over. */
  readonly clear?: () => Promise<void>;
};

const stopLoss = { stopLoss: { price: '95' } };
const trailing = { trailingStop: { by: 'percent', distance: '3' } };
/** Of the kind `stop`: the venue holds one too, and it follows the local one as closely as it may. */
const atVenue = { protectiveStop: { at: 'venue', moveStepBps: 5, moveIntervalMs: 1_000 } };

/** The entry under test. Of an immediate order a part fills: the book is thin (`thinBook`). */
const entries: Readonly<Record<OrderKind, Terms>> = {
  LIMIT: { entry: { type: 'LIMIT', price: '99' }, exit: stopLoss },
  MARKET: { entry: { type: 'MARKET' }, exit: stopLoss },
  IOC: { entry: { type: 'LIMIT', price: '100.01', timeInForce: 'IOC' }, exit: stopLoss },
  stop: {
    entry: { type: 'MARKET' },
    exit: { ...stopLoss, trailingStop: { by: 'percent', distance: '4' }, ...atVenue },
  },
};

const thinBook = { levelQuantity: '0.4', levelsMax: 1 };

/** The scene of a case. `tradeId` is its trade, and its strategy too, so that a halt can have it for its scope. */
export function sceneOf(stack: Stack, { place, order, blow }: CrashCase, tradeId: string): Scene {
  const stage: Stage = { stack, tradeId, order, terms: { ...entries[order], strategy: tradeId } };
  switch (place) {
    case 'CP1':
    case 'CP2':
    case 'CP8':
      return entering(stage);
    case 'CP3':
    case 'CP4':
    case 'CP5':
    case 'CP6':
      if (order !== 'stop') return entering(stage);
      return blow === 'kill' ? protecting(stage) : moving(stage);
    case 'CP7':
      return order === 'stop' ? protecting(stage) : entering(stage);
    case 'CP9':
      return canceling(stage);
    case 'CP10':
      return leaving(stage);
    case 'CP11':
      return order === 'LIMIT' ? closing(stage) : leaving(stage);
    case 'CP12':
      return order === 'LIMIT' || order === 'stop' ? givingBack(stage) : entering(stage);
    case 'CP15':
      return reconciling(stage);
    case 'CP16':
      return halting(stage);
    default:
      return recording(stage);
  }
}

type Stage = { readonly stack: Stack; readonly tradeId: string; readonly order: OrderKind; readonly terms: Terms };

const enterWith = ({ stack, tradeId, terms }: Stage, more: Terms = {}) =>
  stack.client.enter(aRequest(tradeId, { ...terms, ...more }));

const nothing = async (): Promise<void> => undefined;

/** The point is on the way into the trade. */
const entering = (stage: Stage): Scene => ({
  arrange: () => (stage.order === 'IOC' ? stage.stack.venue.rules(thinBook) : nothing()),
  begin: () => enterWith(stage),
  // A resting order fills only when the market comes to it.
  urge: () => (stage.order === 'LIMIT' ? fillResting(stage) : nothing()),
});

async function fillResting({ stack, tradeId }: Stage): Promise<void> {
  const [working] = await stack.sql("select 1 from orders where trade_id = $1 and status = 'new'", [tradeId]);
  if (working !== undefined) await stack.venue.tick('99');
}

/** The point is on the way to the first stop at the venue: it is placed once the entry, which rests, has filled. */
const protecting = (stage: Stage): Scene => ({
  async arrange() {
    const { stack, tradeId, terms } = stage;
    await enterApproved(stack, tradeId, { ...terms, ...entries.LIMIT, exit: { ...stopLoss, ...atVenue } });
    await untilPhase(stack, tradeId, 'working');
  },
  begin: () => stage.stack.venue.tick('99'),
});

/** The point is on the way to the next stop at the venue: the local one has tightened. */
const moving = (stage: Stage): Scene => ({
  arrange: () => opened(stage, { ...trailing, ...atVenue }),
  begin: () => stage.stack.venue.tick('104'),
});

/** The point is on the way out: the venue's stop sells, and the local guard sees the same price. */
const soldAtVenue = (stage: Stage): Scene => ({
  arrange: () => opened(stage, { ...stopLoss, ...atVenue }),
  begin: () => stage.stack.venue.tick('94'),
});

/** The records of the trade are sealed, by whoever comes first: others are made until the worker has been at it. */
function recording(stage: Stage): Scene {
  const { stack, tradeId, order } = stage;
  const { urge, ...scene } = order === 'stop' ? soldAtVenue(stage) : entering(stage);
  const denied: Promise<unknown>[] = [];
  return {
    ...scene,
    async urge() {
      await urge?.();
      if ((await stack.sql('select 1 from audit_event where seq is null limit 1')).length > 0) return;
      // More than any limit allows.
      const request = aRequest(`${tradeId}-${denied.length + 1}`, { quantity: '900000' });
      denied.push(stack.client.enter(request).catch(() => undefined));
    },
    async clear() {
      await Promise.all(denied);
      await until('the others are over', async () => {
        for await (const { workflowId } of stack.temporal.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
          if (workflowId.startsWith(`entry-${tradeId}-`)) return false;
        }
        return true;
      });
    },
  };
}

/** Each kind of guard once: what triggers is not the same for each order. A stop at the venue stays far behind here. */
const guards: Readonly<Record<OrderKind, { readonly exit: object; readonly prices: readonly string[] }>> = {
  LIMIT: { exit: { ...stopLoss, takeProfit: { price: '106' } }, prices: ['106'] },
  MARKET: { exit: trailing, prices: ['104', '100'] },
  IOC: { exit: stopLoss, prices: ['94'] },
  stop: { exit: { ...trailing, protectiveStop: { at: 'venue', moveStepBps: 5_000 } }, prices: ['104', '100'] },
};

/** The point is on the way out: a guard triggers. */
function leaving(stage: Stage): Scene {
  const { stack } = stage;
  const { exit, prices } = guards[stage.order];
  return { arrange: () => opened(stage, exit), begin: () => stack.venue.tick(...prices) };
}

/** The point is on the way out: a person asks for it. */
const closing = (stage: Stage): Scene => ({
  arrange: () => opened(stage, stopLoss),
  begin: () => stage.stack.client.close(stage.tradeId, { actor: 'tester', reason: 'a drill' }),
});

async function opened(stage: Stage, exit: object): Promise<void> {
  const { stack, tradeId, order, terms } = stage;
  if (order === 'IOC') await stack.venue.rules(thinBook);
  if (order === 'stop') {
    await openTrade(stack, tradeId, { ...terms, exit });
    return void (await untilHeld(stack, tradeId));
  }
  if (order !== 'LIMIT') return openTrade(stack, tradeId, { ...terms, exit });
  await enterApproved(stack, tradeId, { ...terms, exit });
  await untilPhase(stack, tradeId, 'working');
  await stack.venue.tick('99');
  await untilPhase(stack, tradeId, 'open');
  await untilWatched(stack, tradeId);
  await stack.venue.tick('100');
}

/** The venue has taken the order and takes its time to match it: until then it can be canceled. */
const slowMatch = (): FaultRule => ({
  on: { method: 'POST', path: '/api/v3/order', match: { newClientOrderId: 'rte-.*' } },
  phase: 'after_accept',
  do: { action: 'delay', ms: 8_000 },
});

/**
 * A cancel. Of a limit order its time is up; of an immediate one somebody closes the trade before the venue has matched
 * it; of a stop the exit takes back the one that the venue holds, and then its own first try, which rests there.
 */
function canceling(stage: Stage): Scene {
  const { stack, tradeId, order } = stage;
  if (order === 'LIMIT') {
    return {
      arrange: nothing,
      begin: () => enterWith(stage, { entry: { type: 'LIMIT', price: '98', expireAfterMs: 1_000 } }),
    };
  }
  if (order === 'stop') {
    return {
      arrange: () => opened(stage, { ...stopLoss, takeProfit: { price: '106' }, ...atVenue }),
      begin: () => stack.venue.tick('106', '100'),
    };
  }
  return {
    async arrange() {
      await stack.venue.plan(slowMatch());
      void enterWith(stage).catch(() => undefined);
      await until(`the order of ${tradeId} stands at the venue`, async () => isAtVenue(stage));
    },
    begin: () => stack.client.close(tradeId, { actor: 'tester', reason: 'a drill' }),
    clear: () => stack.venue.clearPlan(),
  };
}

async function isAtVenue({ stack, tradeId }: Stage): Promise<boolean> {
  const ids = await stack.sql<{ id: string }>('select client_order_id as id from orders where trade_id = $1', [
    tradeId,
  ]);
  const { orders } = await stack.venue.ledger();
  return orders.some(({ clientOrderId }) => ids.some(({ id }) => id === clientOrderId));
}

/** A reservation is given back: the order's time is up, or a guard triggers while a part of the entry still works. */
function givingBack(stage: Stage): Scene {
  const { stack, tradeId, order } = stage;
  if (order === 'LIMIT') {
    return {
      arrange: nothing,
      begin: () => enterWith(stage, { entry: { type: 'LIMIT', price: '98', expireAfterMs: 1_000 } }),
    };
  }
  const exit = { ...stopLoss, takeProfit: { price: '106' }, ...atVenue };
  return {
    async arrange() {
      const entry = { type: 'LIMIT', price: '99' };
      await enterApproved(stack, tradeId, { strategy: tradeId, entry, exit, quantity: '3' });
      await untilPhase(stack, tradeId, 'working');
      await stack.venue.trade('99', '1');
      await untilPhase(stack, tradeId, 'open');
      await untilWatched(stack, tradeId, 2);
      await untilHeld(stack, tradeId);
    },
    begin: () => stack.venue.tick('106'),
  };
}

/** Somebody has traded by hand beside the trade, and a reconciliation finds it. */
function reconciling(stage: Stage): Scene {
  const { stack } = stage;
  let orderId: number | undefined;
  return {
    async arrange() {
      const exit = stage.order === 'stop' ? { ...stopLoss, ...atVenue } : stopLoss;
      await (stage.order === 'LIMIT' ? enterApproved(stack, stage.tradeId, stage.terms) : opened(stage, exit));
      const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', price: '60', quantity: '0.2' };
      orderId = (await stack.venue.external({ type: 'order', order })).order?.orderId;
    },
    begin: () => stack.ratchetSoon('reconcile'),
    clear: async () => void (await stack.venue.external({ type: 'cancel', orderId })),
  };
}

/** Everything of the trade's strategy is frozen while its order works, is not matched yet, or has to be sold. */
function halting(stage: Stage): Scene {
  const { stack, tradeId, order } = stage;
  const breaker = () => stack.temporal.workflow.getHandle('breaker-account-main');
  const scope = { kind: 'strategy', id: tradeId };
  const by = { actor: 'tester', reason: 'a drill', scope };
  return {
    async arrange() {
      if (order === 'stop') return opened(stage, { ...stopLoss, ...atVenue });
      if (order === 'LIMIT') {
        await enterApproved(stack, tradeId, stage.terms);
        return void (await untilPhase(stack, tradeId, 'working'));
      }
      await stack.venue.plan(slowMatch());
      void enterWith(stage).catch(() => undefined);
      await until(`the order of ${tradeId} stands at the venue`, async () => isAtVenue(stage));
    },
    begin: () => breaker().signal('halt', { ...by, level: 'frozen', commandId: `halt-${tradeId}` }),
    async clear() {
      await stack.venue.clearPlan();
      await until('the sweep is over', async () => {
        const sweeps = await stack.sql('select ended_at_ms from cancel_sweep where scope_id = $1', [tradeId]);
        return sweeps.length > 0 && sweeps.every((sweep) => sweep['ended_at_ms'] !== null);
      });
      await breaker().signal('resume', { ...by, commandId: `resume-${tradeId}` });
      await until(
        'the halt is over',
        async () =>
          (await stack.sql('select 1 from hold where scope_id = $1 and lifted_at_ms is null', [tradeId])).length === 0,
      );
    },
  };
}
