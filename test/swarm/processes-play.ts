import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Evidence, gather, type Outage } from '../support/evidence.ts';
import { isOver, isPlacement } from '../support/oracle/check.ts';
import { judge } from '../support/oracle.ts';
import type { Stack } from '../support/stack.ts';
import { aRequest } from '../support/trading.ts';
import type { Played } from './played.ts';
import { strike } from './processes-blows.ts';
import { isClosing, untilAllOver } from './processes-end.ts';
import { type Blow, type ProcessesPlan, type ProcessTrade, roundMs, type Stretch } from './processes-plan.ts';
import type { Arena } from './processes-stack.ts';

/** A sender waits for the end of its trade for so long, and begins the next one. */
const patienceMs = 8_000;
const lookEveryMs = 250;
const triesMax = 3;
/** What is promised of a worker that is back, and measured by `npm run crash`. */
const goesOnWithinMs = 10_000;
/** From the end of a blow to the next one: what never gets going is not what is asked about. */
const blowsApartMs = 5_000;
const calmMs = 3_000;

/** What is there to look at when a round has failed. */
const leftBehind = fileURLToPath(new URL('../../.ratchet/swarm/', import.meta.url));

type Window = { readonly fromMs: number; readonly toMs: number };

/**
 * Plays a round on a running stack: trades side by side while the venue fails, processes die and sleep and networks
 * break; then nothing fails any more, and everything has to end; then the oracle judges all that ever happened there.
 */
export async function playProcesses(arena: Arena, plan: ProcessesPlan): Promise<Played> {
  arena.rounds += 1;
  const startedAtMs = Date.now();
  const before = await lastRequestId(arena);
  const windows = await underFaults(arena, plan, startedAtMs);
  const calmAtMs = Date.now();
  const late = await untilAllOver(arena, plan);
  const evidence = await evidenceOf(arena);
  const broken = [...judge(evidence), ...accusations(evidence)].filter((fault) => !arena.known.has(fault));
  for (const fault of broken) arena.known.add(fault);
  const excused = isBusy() ? broken.filter((fault) => isOfSeconds.test(fault)) : [];
  const faults = [...late, ...broken.filter((fault) => !excused.includes(fault))];
  if (faults.length > 0) leave(plan, evidence, faults, { startedAtMs, calmAtMs });
  const remarks = excused.map((fault) => `on a machine with more to do than it can: ${fault}`);
  return { faults, remarks, ...submissionsOf(evidence, before, windows) };
}

/** Whose turn never comes keeps no time. The stack alone does not bring that much about. */
const isBusy = (): boolean => (loadavg()[0] ?? 0) > 4 * availableParallelism();
/** A monitor that came, and came late. */
const isOfSeconds = /^I4: \S+ was held for \d+ ms with no monitor/;

/** Nobody trades by hand here: who is said to have done so was always us. */
const accusations = ({ alerts }: Evidence): readonly string[] =>
  alerts
    .filter(({ code }) => code === 'EXTERNAL_ORDER')
    .map(({ context }) => `order ${String(context['venueOrderId'])} is ours and was taken for somebody else's`);

async function evidenceOf({ stack, troubles }: Arena): Promise<Evidence> {
  const evidence = await gather(stack);
  return { ...evidence, outages: recovered([...evidence.outages, ...troubles]) };
}

/** Each with the time that getting going may take, and none beside another. */
function recovered(outages: readonly Outage[]): readonly Outage[] {
  const joined: Outage[] = [];
  for (const { fromMs, toMs } of outages.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    const next = { fromMs, toMs: toMs + goesOnWithinMs };
    if (last === undefined || last.toMs < fromMs) joined.push(next);
    else joined[joined.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, next.toMs) };
  }
  return joined;
}

const lastRequestId = async ({ stack }: Arena): Promise<number> =>
  (await stack.venue.ledger()).requests.at(-1)?.requestId ?? 0;

/** Gives the times in which something was armed. */
async function underFaults(arena: Arena, plan: ProcessesPlan, startedAtMs: number): Promise<readonly Window[]> {
  const over = { isTrue: false };
  const windows: Window[] = [];
  const market = playMarket(arena, plan, startedAtMs, over);
  const weather = playWeather(arena, plan.stretches, windows, over);
  const blows = playBlows(arena, plan.blows, startedAtMs, windows);
  try {
    await Promise.all([blows, playTrades(arena, plan)]);
  } finally {
    over.isTrue = true;
    await Promise.allSettled([market, weather]);
  }
  return windows;
}

type Over = { readonly isTrue: boolean };

const untilTime = (atMs: number): Promise<unknown> => delay(Math.max(0, atMs - Date.now()));

/** Whoever is told of a price or a rule may be dead: then it has not happened. */
async function playMarket({ stack }: Arena, plan: ProcessesPlan, startedAtMs: number, over: Over): Promise<void> {
  for (const step of plan.market) {
    await untilTime(startedAtMs + step.atMs);
    if (over.isTrue) return;
    const told = step.does === 'tick' ? stack.venue.tick(step.price) : stack.venue.rules(step.rules);
    await told.catch(() => undefined);
  }
  while (!over.isTrue) {
    await stack.venue.tick('100').catch(() => undefined);
    await delay(1_000);
  }
}

/** One stretch after the other, and again from the first. A venue that was killed has forgotten its plan. */
async function playWeather(
  { stack }: Arena,
  stretches: readonly Stretch[],
  windows: Window[],
  over: Over,
): Promise<void> {
  for (let i = 0; !over.isTrue; i += 1) {
    const { forMs, rules } = stretches[i % stretches.length] ?? { forMs: roundMs, rules: [] };
    const fromMs = Date.now();
    let pid = 0;
    while (!over.isTrue && Date.now() < fromMs + forMs) {
      const presentPid = stack.file().processes['paper']?.pid ?? 0;
      if (presentPid !== pid && (await isTold(stack, rules))) pid = presentPid;
      await delay(100);
    }
    if (rules.length > 0) windows.push({ fromMs, toMs: Date.now() });
  }
}

const isTold = ({ venue }: Stack, rules: Stretch['rules']): Promise<boolean> =>
  venue
    .clearPlan()
    .then(() => venue.plan(...rules))
    .then(
      () => true,
      () => false,
    );

async function playBlows(arena: Arena, blows: readonly Blow[], startedAtMs: number, windows: Window[]): Promise<void> {
  let lastAtMs = 0;
  for (const blow of blows) {
    await untilTime(Math.max(startedAtMs + blow.atMs, lastAtMs + blowsApartMs));
    const fromMs = Date.now();
    await strike(arena, blow);
    lastAtMs = Date.now();
    windows.push({ fromMs, toMs: lastAtMs });
  }
}

async function playTrades(arena: Arena, { trades, sideBySide }: ProcessesPlan): Promise<void> {
  const waiting = trades.map((trade, i) => ({ trade, tradeId: `round-${arena.rounds}-${i + 1}` }));
  const sendOn = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await playUntilTaken(arena, next.tradeId, next.trade);
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, sendOn));
}

/** A worker that has just started or woken up takes on no risk for a while: then another one like it is sent. */
async function playUntilTaken({ stack }: Arena, tradeId: string, trade: ProcessTrade): Promise<void> {
  for (let attempt = 1; attempt <= triesMax; attempt += 1) {
    const id = attempt === 1 ? tradeId : `${tradeId}-again-${attempt}`;
    const decided = await stack.client.enter(aRequest(id, trade.terms)).catch(() => undefined);
    if (decided?.outcome !== 'denied') return untilItEnds(stack, id, trade);
    await delay(calmMs);
  }
}

async function untilItEnds(stack: Stack, tradeId: string, { closesAfterMs }: ProcessTrade): Promise<void> {
  const fromMs = Date.now();
  let isToldToClose = closesAfterMs === null;
  while (Date.now() < fromMs + patienceMs) {
    if (!isToldToClose && Date.now() >= fromMs + (closesAfterMs ?? 0)) isToldToClose = await isClosing(stack, tradeId);
    const [trade] = await stack.sql('select phase from trade where trade_id = $1', [tradeId]).catch(() => []);
    if (isOver({ phase: String(trade?.['phase']) })) return;
    await delay(lookEveryMs);
  }
}

/** Counted in the venue's own ledger: each order that was sent to it in this round. */
function submissionsOf({ ledger }: Evidence, before: number, windows: readonly Window[]) {
  const placements = ledger.requests.filter((request) => isPlacement(request) && request.requestId > before);
  return {
    submissions: placements.length,
    armed: placements.filter(({ receivedAtMs }) =>
      windows.some(({ fromMs, toMs }) => fromMs <= receivedAtMs && receivedAtMs <= toMs),
    ).length,
    struck: placements.filter(({ faults = [] }) => faults.length > 0).length,
  };
}

function leave(plan: ProcessesPlan, evidence: Evidence, faults: readonly string[], times: object): void {
  mkdirSync(leftBehind, { recursive: true });
  writeFileSync(join(leftBehind, `processes-${plan.seed}.json`), JSON.stringify({ faults, times, plan, evidence }));
}
