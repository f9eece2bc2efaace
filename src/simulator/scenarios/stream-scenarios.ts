import type { StreamKind } from '../conditions.ts';
import { streamKinds } from '../control/stage.ts';
import { planFor, silence } from '../control/troubles.ts';
import type { FaultAction, FaultRule } from '../faults/faults.ts';
import { choice, lasting, type Scenario, type Values, wholeNumber } from './scenario.ts';

const onReports = { path: '/ws-api/v3', match: { e: 'executionReport' } } as const;

const onEveryReport = (action: FaultAction, times?: number): FaultRule => ({
  on: onReports,
  phase: 'stream',
  do: action,
  ...(times === undefined ? {} : { times }),
});

const kindsOf = (values: Values): readonly StreamKind[] =>
  streamKinds.filter((kind) => values.text('streams') === 'all' || values.text('streams') === kind);

/** What the streams of prices and of the account do wrong. */
export const streamScenarios: readonly Scenario[] = [
  {
    name: 'stream-cut',
    does: 'The connections of the streams are closed.',
    expect: 'Ratchet connects and subscribes again, and fetches what it missed: trades by their ids, orders by a look.',
    parameters: { streams: choice('which streams', 'all', streamKinds) },
    run({ streams }, values) {
      for (const kind of kindsOf(values)) streams.close(kind, 1001);
    },
  },
  {
    name: 'stream-gap',
    does: "The next reports about the account's orders get lost, while the stream stays up.",
    expect: 'Ratchet notices by a look at the venue within 30 s and has every fill exactly once.',
    parameters: { frames: wholeNumber('how many reports', 3, 1, 1_000), forMs: lasting(600_000) },
    run(stage, values) {
      planFor(stage, this.name, [onEveryReport({ action: 'drop' }, values.number('frames'))], values.number('forMs'));
    },
  },
  {
    name: 'stream-duplicates',
    does: "Every report about the account's orders comes twice.",
    expect: 'Nothing: no fill is counted twice.',
    parameters: { forMs: lasting(60_000) },
    run(stage, values) {
      planFor(stage, this.name, [onEveryReport({ action: 'dup' })], values.number('forMs'));
    },
  },
  {
    name: 'stream-reorder',
    does: "Reports about the account's orders come in reverse, a few at a time.",
    expect: 'Nothing: orders and fills end the same in whatever order their reports come.',
    parameters: { frames: wholeNumber('how many at a time', 3, 2, 100), forMs: lasting(60_000) },
    run(stage, values) {
      const action = { action: 'reorder', frames: values.number('frames') } as const;
      planFor(stage, this.name, [onEveryReport(action)], values.number('forMs'));
    },
  },
  {
    name: 'silence',
    does: 'The connections stay open and say nothing, neither prices nor pings.',
    expect:
      'Ratchet takes prices of more than 5 s for stale: no entries, an alert, and the guards fetch trades instead.',
    parameters: { streams: choice('which streams', 'market', ['user', 'all']), forMs: lasting(30_000) },
    run: (stage, values) => silence(stage, kindsOf(values), values.number('forMs')),
  },
];
