import type { ExitReason } from '../../src/contracts/messages/messages.ts';
import * as exits from '../../src/store/exits/exits.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/** Asks for the exit of a trade. Whoever asks second finds the first request: that is success too (`already`). */
export const createRequestExit = ({ db, now }: ActivityDependencies) =>
  function requestExit(request: {
    readonly tradeId: string;
    readonly reason: ExitReason;
    readonly source: string;
  }): Promise<exits.ExitRequested> {
    return exits.requestExit(db, { ...request, nowMs: now() });
  };
