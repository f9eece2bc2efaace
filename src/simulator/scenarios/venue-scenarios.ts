import { StageProblem } from '../control/stage.ts';
import { ban, outage, revokeKey } from '../control/troubles.ts';
import { lasting, type Scenario, wholeNumber } from './scenario.ts';

/** The venue as a whole refuses, is away, or has another time. */
export const venueScenarios: readonly Scenario[] = [
  {
    name: 'rate-limit',
    does: 'The request weight of this minute is used up: every request is refused with 429 until the minute ends.',
    expect: 'Ratchet sends nothing until then; entries wait, and exits are the first to go.',
    parameters: {},
    run: ({ core }) => core.limits.exhaust(),
  },
  {
    name: 'ban',
    does: 'The address is banned: every request is refused with 418.',
    expect:
      'Ratchet stops all requests at once, names the end of the ban in an alert, and lives on the streams until then.',
    parameters: { forMs: lasting(60_000) },
    run: (stage, values) => ban(stage, values.number('forMs')),
  },
  {
    name: 'firewall',
    does: 'Something in front of the venue answers every request with 403 and a page.',
    expect: 'Ratchet pauses the venue and says so; what was sent and not answered is looked up afterwards.',
    parameters: { forMs: lasting(30_000) },
    run: (stage, values) => outage(stage, 'firewall', values.number('forMs')),
  },
  {
    name: 'blackout',
    does: 'Every request is answered with 503 and the streams are closed, while the market goes on and resting orders fill.',
    expect: 'Ratchet alerts, keeps what it knows, and finds everything that happened once the venue is back.',
    parameters: { forMs: lasting(30_000) },
    run: (stage, values) => outage(stage, 'blackout', values.number('forMs')),
  },
  {
    name: 'clock-skew',
    does: "The venue's clock is wrong, so that it refuses timestamps with -1021.",
    expect: "Ratchet reads the venue's time and signs by it; where that does not help, entries stop with an alert.",
    parameters: {
      skewMs: wholeNumber('by how much the clock is ahead, in ms', 10_000, -3_600_000, 3_600_000),
      forMs: lasting(60_000),
    },
    run({ core: { clock }, troubles }, values) {
      if (clock.kind !== 'wall') throw new StageProblem('the clock of this venue is virtual: move it by /__sim/clock');
      const skewMs = values.number('skewMs');
      troubles.begin(this.name, values.number('forMs'), () => {
        clock.shift(skewMs);
        return () => clock.shift(-skewMs);
      });
    },
  },
  {
    name: 'key-revoked',
    does: 'The API key is refused everywhere, and the subscriptions that it opened end.',
    expect: 'Ratchet halts the venue with an alert that names the positions, and does not try again and again.',
    parameters: { forMs: lasting(60_000) },
    run: (stage, values) => revokeKey(stage, values.number('forMs')),
  },
];
