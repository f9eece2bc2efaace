import { setTimeout as delay } from 'node:timers/promises';
import { type ChildSpec, describeExit, type Exit, type ReadyLine, type Run, runChild } from './child.ts';
import { logFileOf } from './child-log.ts';
import type { DataFolder } from './data-folder.ts';
import type { Report } from './report.ts';

/** Keeps the processes of a stack: starts them, starts them again when they die, and stops them in order. */
export type Supervisor = {
  /**
   * Starts a child that is to live as long as the stack, and resolves when it is ready. From then on it is started
   * again whenever it dies; one that dies before is a ChildFault.
   */
  keep(spec: ChildSpec): Promise<ReadyLine>;
  /** Runs a child until it ends by itself; one that is killed is started again if `again` says so. */
  follow(spec: ChildSpec, again: boolean): Promise<Exit>;
  /** Stops all children, those first that were named first. Nothing can be started afterwards. */
  stop(order: readonly string[]): Promise<void>;
  /** Process ids of the children that run. */
  pids(): ReadonlyMap<string, number>;
};

const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** A child that has lived so long is well again: the next pause is the first one. */
const wellAfterMs = 10_000;

/** `onBack` is called whenever a child works again, under another process id. */
export function createSupervisor(folder: DataFolder, report: Report, onBack: () => void = () => {}): Supervisor {
  const runs = new Map<string, Run>();
  const stopping = new AbortController();

  function start(spec: ChildSpec): Run {
    if (stopping.signal.aborted) throw new Error(`${spec.name} is not started: the stack is stopping`);
    const run = runChild(spec, folder);
    run.ready.catch(() => {});
    runs.set(spec.name, run);
    void run.exited.then(() => runs.get(spec.name) === run && runs.delete(spec.name));
    return run;
  }

  /** Starts a dead child again, in its place and with growing pauses, until `run` is one that ends for good. */
  async function startAgain(spec: ChildSpec, first: Run, mayEnd: (exit: Exit) => boolean): Promise<Exit> {
    let run = first;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const startedAtMs = Date.now();
      const exit = await run.exited;
      if (stopping.signal.aborted || mayEnd(exit)) return exit;
      if (Date.now() - startedAtMs > wellAfterMs) pauseMs = firstPauseMs;
      report.warn(
        `${spec.name} died (${describeExit(exit)}); starting it again in ${pauseMs / 1000} s. ` +
          `Its log: ${logFileOf(folder, spec.name)}`,
      );
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return exit;
      run = start(spec);
      run.ready.then(
        () => {
          report.note(`${spec.name} is back`);
          onBack();
        },
        () => {},
      );
    }
  }

  return {
    keep: async (spec) => {
      const run = start(spec);
      const said = await run.ready;
      void startAgain(spec, run, () => false);
      return said;
    },
    follow: (spec, again) => startAgain(spec, start(spec), (exit) => !again || exit.signal === null),
    stop: async (order) => {
      stopping.abort();
      for (const name of order) {
        const run = runs.get(name);
        if (run !== undefined) await report.step(`stop ${name}`, run.stop);
      }
    },
    pids: () => new Map([...runs].flatMap(([name, { pid }]) => (pid === undefined ? [] : [[name, pid]]))),
  };
}
