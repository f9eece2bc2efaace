import { RatchetError } from '../src/domain/errors.ts';
import type { ActivityDependencies, VenueRoom } from './dependencies.ts';

/** The venue of that name, or a refusal that names those this worker knows. */
export function roomOf({ rooms }: Pick<ActivityDependencies, 'rooms'>, venue: string): VenueRoom {
  const room = rooms.get(venue);
  if (!room) throw new RatchetError('VENUE_UNKNOWN', { venue, known: [...rooms.keys()].join(', ') });
  return room;
}

/** The time by the venue's clock, which timestamps, windows and fences are of. Rejects while nobody knows it. */
export const venueNowMs = async ({ now }: Pick<ActivityDependencies, 'now'>, { venue }: VenueRoom): Promise<number> =>
  now() + (await venue.clockOffsetMs());
