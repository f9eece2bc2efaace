import { hasSpooledHalts } from '../config/halt-spool.ts';
import type { EntryBrake } from '../domain/limits/snapshot.ts';
import type { LoopLag } from '../observability/loop-lag.ts';

/** What keeps this process from taking on risk at the moment, the gravest first. */
export const createEntryBrake =
  ({ dataFolder, loopLag }: { readonly dataFolder: string; readonly loopLag: LoopLag }) =>
  (): EntryBrake | null => {
    if (hasSpooledHalts(dataFolder)) {
      return { code: 'HALT_NOT_IMPORTED', note: 'a halt that was made without the database waits in the spool' };
    }
    if (loopLag.isHigh()) {
      return { code: 'WORKER_LAGGING', note: `its event loop ran ${Math.round(loopLag.lagMs())} ms late` };
    }
    return null;
  };
