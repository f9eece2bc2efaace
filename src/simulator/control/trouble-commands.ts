import type { StreamKind } from '../conditions.ts';
import { isCloseCode, readPlan } from '../faults/fault-plan.ts';
import type { Limits } from '../rest/rate-limits.ts';
import { type Body, type Command, durationOf, type Outcome, ok, wrong } from './command.ts';
import { type Stage, streamKinds } from './stage.ts';
import { ban, outage, revokeKey, silence } from './troubles.ts';

/** What makes the venue fail, and what ends it again. */
export const troubleCommands: Readonly<Record<string, Command>> = {
  'GET /__sim/plan': ({ core }) => ok({ rules: core.faults.rules() }),
  'POST /__sim/plan': addPlan,
  'DELETE /__sim/plan': removePlan,
  'POST /__sim/ban': startBan,
  'POST /__sim/waf': (stage, { ms }) => startOutage(stage, 'firewall', ms),
  'POST /__sim/blackout': (stage, { ms }) => startOutage(stage, 'blackout', ms),
  'POST /__sim/key': changeKey,
  'POST /__sim/limits': changeLimits,
  'POST /__sim/silence': startSilence,
  'POST /__sim/terminate': terminate,
  'POST /__sim/clear': clear,
};

function addPlan({ core }: Stage, body: Body): Outcome {
  const plan = readPlan(body);
  if ('mistakes' in plan) return { status: 400, body: { problem: 'the plan has mistakes', mistakes: plan.mistakes } };
  core.faults.add(plan.rules);
  return ok({ rules: core.faults.rules() });
}

/** `?id=…` removes one rule, without it all go. */
function removePlan({ core: { faults } }: Stage, _: Body, query: URLSearchParams): Outcome {
  const id = query.get('id');
  if (id === null) faults.clear();
  else if (!faults.remove(id)) return { status: 404, body: { problem: `no rule ${id}` } };
  return ok({ rules: faults.rules() });
}

const timeProblem = 'ms is a number from zero: how long it lasts (0 ends it)';

/** `{ms}`: every request is refused with 418 for so long. */
function startBan(stage: Stage, { ms }: Body): Outcome {
  const forMs = durationOf(ms);
  if (forMs === undefined || forMs === null) return wrong(timeProblem);
  if (forMs === 0) stage.troubles.end('ban');
  else ban(stage, forMs);
  return ok({ troubles: stage.troubles.list() });
}

/** `{ms?}`: for so long, or until it is ended by 0. */
function startOutage(stage: Stage, kind: 'firewall' | 'blackout', ms: unknown): Outcome {
  const forMs = durationOf(ms);
  if (forMs === undefined) return wrong(timeProblem);
  if (forMs === 0) stage.troubles.end(kind);
  else outage(stage, kind, forMs);
  return ok({ troubles: stage.troubles.list() });
}

/** `{revoked: true, ms?}` or `{revoked: false}`. */
function changeKey(stage: Stage, { revoked, ms }: Body): Outcome {
  const forMs = durationOf(ms);
  if (typeof revoked !== 'boolean' || forMs === undefined)
    return wrong('key is {revoked: true, ms?} or {revoked: false}');
  if (revoked) revokeKey(stage, forMs);
  else stage.troubles.end('key-revoked');
  return ok({ troubles: stage.troubles.list() });
}

const limitNames: ReadonlySet<string> = new Set<keyof Limits>([
  'weightPerMinute',
  'ordersPer10s',
  'ordersPerDay',
  'warningsMax',
  'banMs',
]);

/** `{ordersPer10s: 5, …}` from now on; `{exhaust: true}` uses up the weight of this minute. */
function changeLimits({ core: { limits } }: Stage, { exhaust, ...changes }: Body): Outcome {
  const isLimits = Object.entries(changes).every(([name, value]) => limitNames.has(name) && isCount(value));
  if (!isLimits || (exhaust !== undefined && exhaust !== true)) {
    return wrong(`limits is {exhaust: true} or whole numbers of ${[...limitNames].join(', ')}`);
  }
  limits.change(changes);
  if (exhaust === true) limits.exhaust();
  return ok({ limits: limits.limits, usedWeight: limits.used() });
}

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0;

/** `market`, `user`, or `all`. */
function kindsOf(streams: unknown): readonly StreamKind[] | null {
  if (streams === undefined || streams === 'all') return streamKinds;
  const kind = streamKinds.find((each) => each === streams);
  return kind === undefined ? null : [kind];
}

/** `{streams?: market, user or all, ms?}`: connections stay and say nothing; new ones, too. */
function startSilence(stage: Stage, { streams, ms }: Body): Outcome {
  const [kinds, forMs] = [kindsOf(streams), durationOf(ms)];
  if (!kinds || forMs === undefined) return wrong(`silence is {streams?: market, user or all, ms?}; ${timeProblem}`);
  if (forMs === 0) stage.troubles.end('silence');
  else silence(stage, kinds, forMs);
  return ok({ troubles: stage.troubles.list() });
}

/**
 * `{how, streams?, code?}`: `subscription` tells eventStreamTerminated and leaves the connections; `shutdown` tells
 * serverShutdown and then closes; `close` just closes.
 */
function terminate(stage: Stage, { how, streams, code = 1001 }: Body): Outcome {
  const kinds = kindsOf(streams);
  if (!kinds || !isCloseCode(code) || (how !== 'subscription' && how !== 'shutdown' && how !== 'close')) {
    return wrong('terminate is {how: subscription, shutdown or close, streams?: market, user or all, code?}');
  }
  if (how === 'subscription') stage.streams.endSubscriptions();
  for (const kind of how === 'subscription' ? [] : kinds) {
    if (how === 'shutdown') stage.streams.announceShutdown(kind);
    stage.streams.close(kind, code);
  }
  return ok();
}

/** Ends everything that is wrong: troubles, scenarios, and every rule of the plan. */
function clear({ core, troubles }: Stage): Outcome {
  troubles.endAll();
  core.faults.clear();
  return ok({ troubles: troubles.list(), rules: core.faults.rules() });
}
