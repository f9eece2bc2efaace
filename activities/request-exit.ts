import type { ExitReason } from '../src/contracts/messages/messages.ts';
import * as exits from '../src/store/exits.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Asks for the exit of a trade. Whoever asks second finds the first request: that is success too. */
export const createRequestExit = ({ db, now }: ActivityDependencies) =>
  async function requestExit(request: {
    readonly tradeId: string;
    readonly reason: ExitReason;
    readonly source: string;
  }): Promise<void> {
    await exits.requestExit(db, { ...request, nowMs: now() });
  };
