import { RatchetError } from '../../../src/domain/errors.ts';
import type { Venue } from '../../../src/venue/venue.ts';

/** What happens to an attempt: its process dies, the database's answer is lost, or the process sleeps and wakes later. */
export type StrikeKind = 'crash' | 'fail' | 'pause';

/**
 * Where a strike hits: the `call`th time (from 1, attempts counted) that the activity runs, at the `point`th boundary
 * (from 0). Every statement and every call of the venue is two boundaries: before it, and after it was carried out with
 * nobody having heard of it.
 */
export type Strike = {
  readonly activity: string;
  readonly call?: number;
  readonly point: number;
  /** Of those from the point on, the first before a call of this method of the venue. */
  readonly before?: keyof Venue;
  readonly kind: StrikeKind;
};

/** The attempt has ended with its process: whatever it would still do fails with this, and nobody hears of it. */
export class Crash extends Error {}

/** What one attempt runs on: it counts the boundaries that the attempt passes, and strikes where it was told to. */
export type Stage = {
  /** `isOpen`: in the middle of a transaction, whose locks a sleeper would keep until the server ends it. */
  pass(kind: 'database' | 'venue' | 'time', isOpen?: boolean, before?: string): Promise<void>;
  /** How many boundaries were passed. */
  points(): number;
  /** The strike was carried out, and where. */
  struck(): { readonly kind: StrikeKind; readonly at: string } | null;
  /** Ends when the attempt is asleep; never, if it never is. */
  readonly asleep: Promise<'asleep'>;
  wake(): void;
};

export function createStage(strike: Strike | undefined): Stage {
  let points = 0;
  let isDead = false;
  let struck: ReturnType<Stage['struck']> = null;
  let fallAsleep: (value: 'asleep') => void = () => undefined;
  let wake: () => void = () => undefined;
  const asleep = new Promise<'asleep'>((resolve) => {
    fallAsleep = resolve;
  });

  const carryOut = async (kind: StrikeKind, at: string): Promise<void> => {
    struck = { kind, at };
    switch (kind) {
      case 'crash':
        isDead = true;
        throw new Crash(`struck at ${at}`);
      case 'fail':
        throw new RatchetError('DATABASE_UNAVAILABLE', { injected: at });
      case 'pause':
        await new Promise<void>((resolve) => {
          wake = resolve;
          fallAsleep('asleep');
        });
    }
  };

  return {
    async pass(kind, isOpen = false, before = undefined) {
      if (isDead) throw new Crash('it is dead already');
      if (kind === 'time') return;
      const here = points;
      points += 1;
      // A strike that does not fit here waits for the next boundary that it fits.
      if (strike === undefined || struck !== null || here < strike.point) return;
      if (strike.before !== undefined && strike.before !== before) return;
      if (strike.kind === 'fail' && kind !== 'database') return;
      if (strike.kind === 'pause' && isOpen) return;
      await carryOut(strike.kind, `${strike.activity} ${kind} #${here}`);
    },
    points: () => points,
    struck: () => struck,
    asleep,
    wake: () => wake(),
  };
}
