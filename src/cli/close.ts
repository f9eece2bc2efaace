import { RatchetError } from '../contracts/schemas/error-body.ts';
import { requestExit } from '../store/exits/exits.ts';
import { exitCodes, followHint, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

/** `ratchet close <tradeId>`: asks for the exit. A worker carries it out, once one runs. */
export function run(options: GlobalOptions & { readonly reason: string }, tradeId: string): Promise<number> {
  return withDatabase(options, async (db, { actor }) => {
    const outcome = await requestExit(db, {
      tradeId,
      reason: 'operator',
      source: 'cli',
      actor,
      note: options.reason,
      nowMs: Date.now(),
    });
    if (outcome === 'unknown-trade') throw new RatchetError('TRADE_UNKNOWN', { tradeId });
    if (outcome === 'not-open') throw new RatchetError('TRADE_NOT_OPEN', { tradeId });
    const said = outcome === 'requested' ? 'its exit is asked for' : 'its exit was asked for before';
    print(options, { tradeId, outcome }, [`${tradeId}: ${said}. ${followHint(options, tradeId)}`]);
    return exitCodes.done;
  });
}
