import type { Venue } from '../../../src/venue/venue.ts';
import type { Stage } from './stage.ts';

const synchronous: ReadonlySet<string | symbol> = new Set(['clockState', 'streamMarket', 'streamUserData', 'close']);

/** The same venue with the stage's boundaries around each call: before it leaves, and after its answer was read. */
export function stagedVenue(venue: Venue, stage: Stage): Venue {
  return new Proxy(venue, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || synchronous.has(name)) return member;
      return async (...args: readonly unknown[]) => {
        await stage.pass('venue', false, String(name));
        const answer: unknown = await Reflect.apply(member, target, args);
        await stage.pass('venue');
        return answer;
      };
    },
  });
}
