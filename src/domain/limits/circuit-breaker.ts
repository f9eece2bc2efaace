import { admitsEntry, type BreakerReading } from '../circuit-breaker.ts';
import { allow, type Control, deny, type Subject } from './limit.ts';

const subject: Subject = { control: 'circuit_breaker', code: 'BREAKER_OPEN', scope: 'account' };

/** CLOSED lets an entry through, HALF_OPEN as long as there is a probe left. */
export const circuitBreaker: Control = {
  name: 'circuit_breaker',
  onEntry: ({ breaker, nowMs }) => {
    if (breaker === null) return [deny({ ...subject, code: 'BREAKER_UNKNOWN' }, 'the breaker could not be read')];
    const note = inWords(breaker, nowMs);
    return [admitsEntry(breaker) ? allow(subject, note) : deny(subject, note)];
  },
};

function inWords({ state, probesLeft, nextTransitionAtMs }: BreakerReading, nowMs: number): string {
  if (state === 'HALF_OPEN') return `HALF_OPEN with ${probesLeft} probes left`;
  return nextTransitionAtMs === null ? state : `${state} for another ${nextTransitionAtMs - nowMs} ms`;
}
