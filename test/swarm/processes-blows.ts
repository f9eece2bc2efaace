import { setTimeout as delay } from 'node:timers/promises';
import type { CrashPoint } from '../../src/observability/crash-point.ts';
import type { ProcessName, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import type { Blow } from './processes-plan.ts';
import type { Arena } from './processes-stack.ts';

/** A point that nobody has come to by then is not waited for: the blow falls where the worker is. */
const reachedWithinMs = 5_000;

/** Carries out one blow, and returns once everybody works again. */
export async function strike(arena: Arena, blow: Blow): Promise<void> {
  const { stack, links } = arena;
  switch (blow.does) {
    case 'kill':
      return troubled(arena, blow.process, () => stack.kill(blow.process));
    case 'crash':
      return crashAt(stack, blow.point);
    case 'stop':
      return stopAt(stack, blow.point, blow.forMs);
    case 'pause':
      return troubled(arena, blow.process, () => pause(stack, blow.process, blow.forMs));
    case 'link':
      return troubled(arena, blow.link, async () => {
        links[blow.link].become(blow.weather);
        await delay(blow.forMs);
        links[blow.link].heal();
      });
    case 'halt':
      return halt(stack, blow.level, blow.forMs);
  }
}

/** Of the worker the stack itself keeps the times. */
async function troubled(arena: Arena, who: string, work: () => Promise<void>): Promise<void> {
  const trouble = { fromMs: Date.now(), toMs: Infinity };
  if (who !== 'worker') arena.troubles.push(trouble);
  await work().finally(() => {
    trouble.toMs = Date.now();
  });
}

async function pause(stack: Stack, name: ProcessName, forMs: number): Promise<void> {
  const { wake } = stack.pause(name);
  await delay(forMs);
  wake();
}

async function crashAt(stack: Stack, point: CrashPoint): Promise<void> {
  await stack.restarted('worker', async () => {
    const pid = stack.pidOf('worker');
    if (await isReached(stack, point, 'SIGKILL')) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has come there at the last moment.
    }
  });
}

async function stopAt(stack: Stack, point: CrashPoint, forMs: number): Promise<void> {
  await isReached(stack, point, 'SIGSTOP');
  await pause(stack, 'worker', forMs);
}

async function isReached(stack: Stack, point: CrashPoint, signal: 'SIGKILL' | 'SIGSTOP'): Promise<boolean> {
  stack.plan(point, signal);
  const untilMs = Date.now() + reachedWithinMs;
  while (!stack.isStruck(point, signal) && Date.now() < untilMs) await delay(20);
  if (stack.isStruck(point, signal)) return true;
  stack.unplan(point, signal);
  return false;
}

const scope = { kind: 'strategy', id: 'swarm' };
const by = { actor: 'swarm', reason: 'a round', scope };

async function halt(stack: Stack, level: string, forMs: number): Promise<void> {
  const breaker = () => stack.temporal.workflow.getHandle('breaker-account-main');
  const commandId = `${level}-${Date.now()}`;
  const told = (signal: string, body: object) =>
    until(`${signal} is taken`, async () =>
      breaker()
        .signal(signal, body)
        .then(() => true),
    );
  const held = async () =>
    (await stack.sql('select 1 from hold where scope_id = $1 and lifted_at_ms is null', [scope.id])).length > 0;
  await told('halt', { ...by, level, commandId: `halt-${commandId}` });
  await until('the halt is in force', held);
  await delay(forMs);
  await told('resume', { ...by, commandId: `resume-${commandId}` });
  await until('the halt is over', async () => !(await held()));
}
