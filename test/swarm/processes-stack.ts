import type { UnresolvedPolicy } from '../../activities/dependencies.ts';
import { crashPoints } from '../../src/observability/crash-point.ts';
import { gather } from '../support/evidence.ts';
import { examine } from '../support/oracle.ts';
import { searchSecrets } from '../support/secret-search.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { type Links, proxyWorker, unproxyWorker, workerEnvironment } from '../support/workers.ts';
import type { Played } from './played.ts';
import { roundsPerStack } from './processes-plan.ts';

/** A stack on which rounds are played, one after the other, with proxies around its worker. */
export type Arena = {
  readonly stack: Stack;
  readonly links: Links;
  readonly unresolved: UnresolvedPolicy;
  /** Broken promises that were seen in rounds before. */
  readonly known: Set<string>;
  /** Times in which somebody other than the worker was dead or cut off. */
  readonly troubles: { readonly fromMs: number; toMs: number }[];
  rounds: number;
};

const plenty = '1000000000';

async function openArena(unresolved: UnresolvedPolicy): Promise<Arena> {
  const stack = await startStack({
    environment: {
      ...workerEnvironment,
      RATCHET_UNRESOLVED_ORDERS: unresolved,
      // A lost order is given up after three seconds, so that a round does not take ten minutes.
      RATCHET_RECV_WINDOW_MS: '2000',
      RATCHET_FENCE_API_TIMEOUT_MS: '1000',
      RATCHET_FENCE_MARGIN_MS: '0',
      // This is not about the breaker, nor about the venue's own limits; and what is planned is no reason for a hold.
      RATCHET_BREAKER_FAILURE_THRESHOLD: '1000',
      RATCHET_BREAKER_FAILURE_WINDOW_MS: '1000',
      RATCHET_PAPER_ORDERS_PER_10S: plenty,
      RATCHET_PAPER_WEIGHT_PER_MINUTE: plenty,
      RATCHET_RECONCILE_UNEXPLAINED_MAX: '1000',
      RATCHET_RECONCILE_DRIFT_MAX: plenty,
    },
    crashPoints,
    pausePoints: crashPoints,
  });
  const links = await proxyWorker(stack);
  return { stack, links, unresolved, known: new Set(), troubles: [], rounds: 0 };
}

/** The stacks of one process: one at a time, each for some rounds. */
export type Arenas = {
  playOn(unresolved: UnresolvedPolicy, play: (arena: Arena) => Promise<Played>): Promise<Played>;
  close(): Promise<readonly string[]>;
};

export function arenas(): Arenas {
  let present: Arena | undefined;
  const close = async (): Promise<readonly string[]> => {
    const arena = present;
    present = undefined;
    return arena === undefined ? [] : closeArena(arena);
  };
  const played = async (arena: Arena, play: (arena: Arena) => Promise<Played>): Promise<Played> =>
    play(arena).catch((error: unknown) => ({ ...nothing, faults: [`broken off: ${String(error)}`] }));
  return {
    close,
    async playOn(unresolved, play) {
      const left = present?.unresolved === unresolved ? [] : await close();
      present ??= await openArena(unresolved);
      const { faults, ...counted } = await played(present, play);
      // What has failed once would fail the rounds after it.
      const isDone = faults.length > 0 || present.rounds >= roundsPerStack;
      return { ...counted, faults: [...left, ...faults, ...(isDone ? await close() : [])] };
    },
  };
}

const nothing: Played = { faults: [], submissions: 0, armed: 0, struck: 0 };

/** The last questions to a stack, which take the longest: no secret stands anywhere, and its record holds. */
async function closeArena({ stack, links }: Arena): Promise<readonly string[]> {
  try {
    await unproxyWorker(stack, links);
    const { violations } = examine(await gather(stack, { secrets: await searchSecrets(stack) })).I18;
    const { code, output } = stack.ratchet('audit', 'verify');
    return [...violations.map((place) => `I18: ${place}`), ...(code === 0 ? [] : [`audit verify: ${output}`])];
  } catch (error) {
    return [`the stack does not answer the last questions: ${String(error)}`];
  } finally {
    await stack.stop();
  }
}
