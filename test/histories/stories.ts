import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { type Decimal, decimal, multiply, type RatchetClient, roundToStep } from '../../src/client/index.ts';
import { queries, signals, updates } from '../../src/contracts/messages/messages.ts';
import {
  accountScope,
  accountWatchId,
  breakerId,
  cancelAllId,
  entryId,
  exitId,
  marketWatchId,
  positionId,
  protectId,
  shardOf,
  stopId,
  taskQueues,
  workflowTypes,
} from '../../src/contracts/messages/names.ts';
import type { EntryView, ProtectionView, StopView } from '../../src/contracts/messages/views.ts';
import { reconciled } from './reconciling.ts';

/** A stack that trades one symbol of the paper venue, whose prices stand still until a story moves them. */
export type Site = {
  readonly ratchet: RatchetClient;
  readonly temporal: Client;
  readonly symbol: string;
  /** Where the prices stood when the recording began; every story brings them back. */
  readonly home: Decimal;
  tick(price: Decimal, quantity?: string): Promise<void>;
  /** Somebody moves so much of an asset into the account, or out of it. */
  move(asset: string, change: string): Promise<void>;
};

/** A workflow whose history is kept, as `<lifecycle>-<story>`. */
export type Recorded = { readonly name: string; readonly workflowId: string };

/** What happens while histories are recorded, one after the other. Each names the workflows that it was about. */
export const stories: readonly ((site: Site) => Promise<readonly Recorded[]>)[] = [
  closedByTrailingStop,
  closedByTakeProfit,
  closedByTimeStop,
  heldAtVenue,
  denied,
  partlyFilledAndExpired,
  canceledFromOutside,
  invalid,
  haltedAndResumed,
  frozen,
  reconciled,
  watched,
];

const tickSize = decimal('0.01');
const moved = (price: Decimal, factor: string): Decimal =>
  roundToStep(multiply(price, decimal(factor)), tickSize, 'half-even');

const request = ({ symbol }: Site, tradeId: string, changed: object) => ({
  tradeId,
  strategy: 'recorded',
  legs: [{ symbol, side: 'BUY', quantity: '0.01' }],
  entry: { type: 'MARKET' },
  requestedAtMs: Date.now(),
  reason: `the story ${tradeId}`,
  ...changed,
});

/** The trail is tightened by a person while the price rises, and triggers when it falls. */
async function closedByTrailingStop(site: Site): Promise<readonly Recorded[]> {
  const { ratchet, temporal, home, tick } = site;
  const tradeId = 'trailing-stop';
  await ratchet.enter(request(site, tradeId, { exit: { trailingStop: { by: 'percent', distance: '0.8' } } }));
  const stop = temporal.workflow.getHandle(stopId(tradeId));
  const stopPrice = async () => (await stop.query<StopView | null, []>(queries.stop))?.stop.stopPrice;
  await until(async () => (await stopPrice()) !== undefined);
  const amendment = { distance: '0.5', actor: 'recorder', reason: 'to protect more tightly' };
  await stop.executeUpdate(updates.amendStop, { args: [amendment] });
  for (const factor of ['1.004', '1.008', '1.01']) await tick(moved(home, factor));
  await delay(1_000);
  await tick(moved(home, '1.002'));
  await untilClosed(site, tradeId);
  return [...lifecyclesOf(tradeId), { name: `trailingStop-${tradeId}`, workflowId: stopId(tradeId) }];
}

/** The stop at the venue follows the local one, and the price falls through both. */
async function heldAtVenue(site: Site): Promise<readonly Recorded[]> {
  const { ratchet, temporal, home, tick } = site;
  const tradeId = 'held-at-venue';
  const exit = {
    trailingStop: { by: 'percent', distance: '0.8' },
    protectiveStop: { at: 'venue', moveStepBps: 5, moveIntervalMs: 1_000 },
  };
  await ratchet.enter(request(site, tradeId, { exit }));
  const keeper = temporal.workflow.getHandle(protectId(tradeId));
  const untilSent = (orders: number) =>
    until(async () => {
      const view = await keeper.query<ProtectionView, []>(queries.protection).catch(() => undefined);
      return view !== undefined && view.orders >= orders && view.doing === 'wait';
    });
  await untilSent(1);
  for (const factor of ['1.004', '1.01']) await tick(moved(home, factor));
  await untilSent(2);
  await tick(moved(home, '1.001'));
  await untilClosed(site, tradeId);
  const kept = ['trailingStop', 'protectiveStop'] as const;
  const ids = { trailingStop: stopId(tradeId), protectiveStop: protectId(tradeId) };
  return [...lifecyclesOf(tradeId), ...kept.map((kind) => ({ name: `${kind}-${tradeId}`, workflowId: ids[kind] }))];
}

/** The price touches the profit and is gone again, so the limit order rests, and the rest goes to market. */
async function closedByTakeProfit(site: Site): Promise<readonly Recorded[]> {
  const { ratchet, temporal, home, tick } = site;
  const tradeId = 'take-profit';
  const exit = { stopLoss: { price: moved(home, '0.9') }, takeProfit: { price: moved(home, '1.01') } };
  await ratchet.enter(request(site, tradeId, { exit }));
  await untilGuarded(temporal, tradeId);
  await tick(moved(home, '1.01'));
  await tick(home);
  await untilClosed(site, tradeId);
  return lifecyclesOf(tradeId);
}

async function closedByTimeStop(site: Site): Promise<readonly Recorded[]> {
  const tradeId = 'time-stop';
  await site.ratchet.enter(request(site, tradeId, { exit: { timeStopMs: 1_500 } }));
  await untilClosed(site, tradeId);
  return lifecyclesOf(tradeId);
}

async function denied(site: Site): Promise<readonly Recorded[]> {
  const tradeId = 'denied';
  const legs = [{ symbol: site.symbol, side: 'BUY', quantity: '1000' }];
  await site.ratchet.enter(request(site, tradeId, { legs, exit: { timeStopMs: 60_000 } }));
  return [entryOf(tradeId)];
}

/** A tenth of it fills, the rest is canceled when its time is up, and a bot asks for the end. */
async function partlyFilledAndExpired(site: Site): Promise<readonly Recorded[]> {
  const { ratchet, temporal, home, tick } = site;
  const tradeId = 'partly-filled';
  const price = moved(home, '0.998');
  const entry = { type: 'LIMIT', price, timeInForce: 'GTC', expireAfterMs: 4_000 };
  await ratchet.enter(request(site, tradeId, { entry, exit: { stopLoss: { price: moved(home, '0.9') } } }));
  await untilWorking(temporal, tradeId);
  await tick(price, '0.001');
  await tick(home);
  await temporal.workflow.getHandle(entryId(tradeId)).result();
  await untilGuarded(temporal, tradeId);
  await ratchet.close(tradeId, { reason: 'the story is over', actor: 'recorder' });
  await untilClosed(site, tradeId);
  return lifecyclesOf(tradeId);
}

async function canceledFromOutside(site: Site): Promise<readonly Recorded[]> {
  const { ratchet, temporal, home } = site;
  const tradeId = 'canceled';
  const entry = { type: 'LIMIT', price: moved(home, '0.99') };
  await ratchet.enter(request(site, tradeId, { entry, exit: { stopLoss: { price: moved(home, '0.9') } } }));
  const handle = await untilWorking(temporal, tradeId);
  await handle.cancel();
  await handle.result();
  return [entryOf(tradeId)];
}

async function invalid({ temporal }: Site): Promise<readonly Recorded[]> {
  const tradeId = 'invalid';
  const handle = await temporal.workflow.start(workflowTypes.entry, {
    workflowId: entryId(tradeId),
    taskQueue: taskQueues.entries,
    args: [{ tradeId, legs: 'BTC', entry: { type: 'STOP' } }],
  });
  await handle.result().catch(() => {});
  return [entryOf(tradeId)];
}

async function haltedAndResumed(site: Site): Promise<readonly Recorded[]> {
  const breaker = site.temporal.workflow.getHandle(breakerId(accountScope('main')));
  const asked = { actor: 'recorder', reason: 'the story of a halt' };
  await breaker.signal(signals.halt, 'not even an object');
  await breaker.signal(signals.halt, asked);
  const isHalted = async () => (await site.ratchet.state()).holds.length > 0;
  await until(isHalted);
  await site.ratchet.enter(request(site, 'halted', { exit: { timeStopMs: 60_000 } }));
  await breaker.signal(signals.resume, asked);
  await until(async () => !(await isHalted()));
  return [entryOf('halted'), { name: 'circuitBreaker-halt-and-resume', workflowId: breaker.workflowId }];
}

/** An entry rests, trading is frozen, and the sweep takes the order back. */
async function frozen(site: Site): Promise<readonly Recorded[]> {
  const { ratchet, temporal, home } = site;
  const tradeId = 'frozen';
  const entry = { type: 'LIMIT', price: moved(home, '0.99') };
  await ratchet.enter(request(site, tradeId, { entry, exit: { stopLoss: { price: moved(home, '0.9') } } }));
  const handle = await untilWorking(temporal, tradeId);
  const breaker = temporal.workflow.getHandle(breakerId(accountScope('main')));
  const asked = { actor: 'recorder', reason: 'the story of a freeze' };
  await breaker.signal(signals.halt, { ...asked, level: 'frozen' });
  const holds = async () => (await ratchet.state()).holds;
  await until(async () => (await holds()).length > 0);
  const workflowId = cancelAllId(accountScope('main'), (await holds())[0]?.version ?? '');
  await until(async () => (await temporal.workflow.getHandle(workflowId).describe()).status.name === 'COMPLETED');
  await handle.result();
  await breaker.signal(signals.resume, asked);
  await until(async () => (await holds()).length === 0);
  return [entryOf(tradeId), { name: 'cancelAll-frozen', workflowId }];
}

/** What has looked all the while: the market's watch has nothing left to do, the account's one goes on. */
async function watched({ temporal, symbol }: Site): Promise<readonly Recorded[]> {
  const market = marketWatchId(shardOf('paper', symbol, 1));
  await temporal.workflow.getHandle(market).result();
  return [
    { name: 'marketWatch-to-the-end', workflowId: market },
    { name: 'accountWatch-running', workflowId: accountWatchId('paper', 'main') },
  ];
}

const entryOf = (story: string): Recorded => ({ name: `entry-${story}`, workflowId: entryId(story) });

const lifecyclesOf = (story: string): readonly Recorded[] => [
  entryOf(story),
  { name: `positionMonitoring-${story}`, workflowId: positionId(story) },
  { name: `exit-${story}`, workflowId: exitId(story) },
];

async function untilWorking(temporal: Client, tradeId: string): Promise<WorkflowHandle> {
  const handle = temporal.workflow.getHandle(entryId(tradeId));
  await until(async () => (await handle.query<EntryView, []>(queries.entry)).orders[0]?.status === 'new');
  return handle;
}

async function untilGuarded(temporal: Client, tradeId: string): Promise<void> {
  const handle = temporal.workflow.getHandle(positionId(tradeId));
  await until(async () => (await handle.query<{ phase: string }, []>(queries.position)).phase === 'guarded');
}

/** Closed, and every lifecycle of the trade has ended. */
async function untilClosed({ ratchet, temporal, home, tick }: Site, tradeId: string): Promise<void> {
  await until(async () => (await ratchet.trade(tradeId)).phase === 'closed');
  await tick(home);
  for (const id of [exitId(tradeId), positionId(tradeId)]) await temporal.workflow.getHandle(id).result();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endAtMs = Date.now() + 60_000;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > endAtMs) throw new Error(`this never became so: ${isSo}`);
    await delay(50);
  }
}
