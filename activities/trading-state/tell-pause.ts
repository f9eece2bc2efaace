import { raiseBan } from '../../src/store/fleet/venue-bans.ts';
import type { RatePause } from '../../src/venue/rate-budget.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/** Tells people of a ban at once, whichever request has met it. Any other pause is the rate budget's own business. */
export const createTellPause =
  (
    { db, now, logger }: Pick<ActivityDependencies, 'db' | 'now' | 'logger'>,
    { account, venue }: { readonly account: string; readonly venue: string },
  ) =>
  (pause: RatePause): void => {
    logger.warn({ venue, ...pause }, 'the venue asks to wait');
    if (!pause.isBan) return;
    const { untilMs, reason } = pause;
    raiseBan(db, { account, venue, untilMs, reason, nowMs: now() }).catch((error: unknown) =>
      logger.error({ error, venue, untilMs }, 'a ban could not be told'),
    );
  };
