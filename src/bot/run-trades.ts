import { setTimeout as delay } from 'node:timers/promises';
import {
  type Decimal,
  type EntryRequest,
  type MarketView,
  type RatchetClient,
  RatchetClientError,
  type TradeView,
} from '../client/index.ts';
import type { BotEvent } from './narrate.ts';
import { createNarrator } from './narrate.ts';
import { planTrade, strategyName, tradeIdOf } from './strategy.ts';
import { type ClosedTrade, closedTradeOf } from './summary.ts';

export type BotRun = {
  readonly client: RatchetClient;
  readonly symbol: string;
  readonly account: string;
  readonly venue: string;
  readonly timeStopMs: number;
  /** Ends after so many closed trades. */
  readonly trades: number | undefined;
  readonly say: (event: BotEvent) => void;
  /** Ends the bot and nothing else: open trades go on being guarded. */
  readonly signal: AbortSignal;
  readonly pace: Pace;
};

/** How often it looks at the market, and how long it waits before it tries something again. */
type Pace = { readonly lookEveryMs: number; readonly retryMs: number };

export type BotEnd = { readonly closed: readonly ClosedTrade[]; readonly end: 'done' | 'prices-ended' | 'stopped' };

const pricesToSee = 8;

/**
 * One trade after the other, those first that were open when the bot was stopped. What can pass by itself is tried
 * again for ever; what can't is thrown.
 */
export async function runTrades(run: BotRun): Promise<BotEnd> {
  const startedAtMs = Date.now();
  const closed: ClosedTrade[] = [];
  const finish = (view: TradeView | undefined) => {
    const trade = view && closedTradeOf(view);
    if (trade) closed.push(trade);
  };
  const isDone = () => closed.length >= (run.trades ?? Number.POSITIVE_INFINITY);
  try {
    for (const { tradeId } of await patiently(run, () => run.client.trades({ live: true, strategy: strategyName }))) {
      run.say({ event: 'resumed', tradeId });
      finish(await followToEnd(run, tradeId, startedAtMs));
    }
    for (let n = 1; !isDone(); n += 1) {
      const market = await nextSight(run);
      if (market === undefined) return { closed, end: 'prices-ended' };
      finish(await oneTrade(run, market, { tradeId: tradeIdOf(run.symbol, startedAtMs, n), startedAtMs }));
    }
    return { closed, end: 'done' };
  } catch (error) {
    if (run.signal.aborted) return { closed, end: 'stopped' };
    throw error;
  }
}

type Sight = { readonly market: MarketView; readonly recent: readonly Decimal[]; readonly equity: Decimal };

/** Looks at the market until there is something to go by; undefined once the prices have ended. */
async function nextSight(run: BotRun): Promise<Sight | undefined> {
  const recent: Decimal[] = [];
  for (;;) {
    const market = await patiently(run, () => run.client.market(run.symbol));
    if (market.pricesEnded) return undefined;
    if (market.last !== null) recent.push(market.last);
    if (recent.length >= pricesToSee) {
      const { equity } = await patiently(run, () => run.client.state());
      if (equity.amount !== null) return { market, recent, equity: equity.amount };
      run.say({ event: 'waiting', for: equity.fault ?? 'the account to be read for the first time' });
      recent.length = 0;
    }
    await pause(run, run.pace.lookEveryMs);
  }
}

async function oneTrade(
  run: BotRun,
  sight: Sight,
  { tradeId, startedAtMs }: { readonly tradeId: string; readonly startedAtMs: number },
): Promise<TradeView | undefined> {
  const { account, venue, timeStopMs } = run;
  const request = planTrade(sight, { tradeId, account, venue, timeStopMs, nowMs: Date.now() });
  if (request === undefined) {
    run.say({ event: 'waiting', for: 'an equity of which a twentieth is enough to trade' });
    await pause(run, run.pace.retryMs);
    return undefined;
  }
  return enter(run, request, startedAtMs);
}

async function enter(run: BotRun, request: EntryRequest, startedAtMs: number): Promise<TradeView | undefined> {
  const { tradeId } = request;
  const decision = await patiently(run, () => run.client.enter(request)).catch((error: unknown) => {
    if (!(error instanceof RatchetClientError && error.code === 'ENTRY_ENDED_UNDECIDED')) throw error;
    run.say({ event: 'undecided', tradeId, why: error.message });
    return undefined;
  });
  if (decision?.outcome === 'approved') return followToEnd(run, tradeId, startedAtMs);
  if (decision) {
    const reasons = decision.reasons.map(({ code, message, remedy }) => ({ code, message, remedy }));
    run.say({ event: 'denied', tradeId, reasons });
  }
  await pause(run, run.pace.retryMs);
  return undefined;
}

/** Tells the trade's life until it has ended. What happened before `sinceMs` was told by the bot that was stopped. */
async function followToEnd(run: BotRun, tradeId: string, sinceMs: number): Promise<TradeView> {
  const narrator = createNarrator(tradeId);
  const over = new AbortController();
  const closing = closeWhenPricesEnd(run, tradeId, AbortSignal.any([run.signal, over.signal]));
  try {
    for await (const record of run.client.follow(tradeId, { signal: run.signal })) {
      const events = narrator.hear(record);
      if (Date.parse(record.at) >= sinceMs) for (const event of events) run.say(event);
    }
  } finally {
    over.abort();
    await closing;
  }
  run.signal.throwIfAborted();
  return patiently(run, () => run.client.trade(tradeId));
}

/** Once there are no more prices, nothing but this would ever close what is open. */
async function closeWhenPricesEnd(run: BotRun, tradeId: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const market = await run.client.market(run.symbol).catch(() => undefined);
    if (market?.pricesEnded) {
      const asked = await run.client.close(tradeId, { reason: 'prices ended' }).catch(() => undefined);
      if (asked) return;
    }
    await delay(run.pace.retryMs, undefined, { signal }).catch(() => undefined);
  }
}

async function patiently<Result>(run: BotRun, call: () => Promise<Result>): Promise<Result> {
  for (;;) {
    run.signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RatchetClientError && error.retryable)) throw error;
      run.say({ event: 'waiting', for: error.message });
      await pause(run, run.pace.retryMs);
    }
  }
}

const pause = (run: BotRun, ms: number): Promise<void> => delay(ms, undefined, { signal: run.signal });
