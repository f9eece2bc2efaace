import * as guards from '../../src/store/guards/guards.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/** Takes a trade's guards off the watch, once it is flat. */
export const createDisarmGuards = ({ db, now }: ActivityDependencies) =>
  async function disarmGuards(tradeId: string): Promise<void> {
    await guards.disarmGuards(db, { tradeId, nowMs: now() });
  };
