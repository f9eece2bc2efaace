import { milliseconds } from './age.ts';
import { bound, type Control, deny, type Subject } from './limit.ts';

const subject: Subject = { control: 'request_deadline', code: 'REQUEST_EXPIRED', scope: 'request' };

/** A request that could not be decided in time was meant for another market. */
export const requestDeadline: Control = {
  name: 'request_deadline',
  onEntry: ({ nowMs }, { requestedAtMs, validForMs }) => {
    const ageMs = nowMs - requestedAtMs;
    if (!Number.isFinite(ageMs) || !Number.isFinite(validForMs)) return [deny(subject, 'the request has no deadline')];
    // A request from a clock that is ahead has no negative age.
    const wouldBe = milliseconds(Math.max(0, ageMs));
    return [bound(subject, { current: null, wouldBe, limit: milliseconds(validForMs) })];
  },
};
