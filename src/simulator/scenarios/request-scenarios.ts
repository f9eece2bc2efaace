import { planFor } from '../control/troubles.ts';
import type { FaultRule } from '../faults/faults.ts';
import { choice, lasting, type Scenario, wholeNumber } from './scenario.ts';

const onOrder = { method: 'POST', path: '/api/v3/order' } as const;
const times = wholeNumber('how many orders it strikes', 1, 1, 1_000);

const lostAnswer = (strikes: number): FaultRule => ({
  on: onOrder,
  phase: 'after_match',
  do: { action: 'drop' },
  times: strikes,
});

/** Answers that get lost, come late, or say that something went wrong. */
export const requestScenarios: readonly Scenario[] = [
  {
    name: 'response-lost',
    does: 'The next order is taken and matched, and the connection breaks before its answer.',
    expect:
      'Ratchet does not send it again: it looks the order up by its client order id, adopts what it finds, and goes on.',
    parameters: { times, forMs: lasting(600_000) },
    run(stage, values) {
      planFor(stage, this.name, [lostAnswer(values.number('times'))], values.number('forMs'));
    },
  },
  {
    name: 'lookup-lag',
    does: 'The answer to the next order gets lost, and queries do not show young orders yet.',
    expect:
      'Ratchet keeps the order in doubt, with its reservation, and asks again until it shows; it sends nothing anew.',
    parameters: {
      lagMs: wholeNumber('how old an order must be to show, in ms', 5_000, 1, 600_000),
      forMs: lasting(120_000),
    },
    run(stage, values) {
      const lag: FaultRule = {
        on: { method: 'GET', path: '/api/v3/*' },
        phase: 'before_response',
        do: { action: 'lagQuery', ms: values.number('lagMs') },
      };
      planFor(stage, this.name, [lostAnswer(1), lag], values.number('forMs'));
    },
  },
  {
    name: 'venue-error',
    does: 'The next orders are answered with an error of the server, whether they were taken or not.',
    expect:
      'Ratchet takes no such answer for a no: it looks the order up, and what it does then is what the venue shows.',
    parameters: {
      status: wholeNumber('the HTTP status', 504, 500, 599),
      code: wholeNumber("the venue's code", -1007, -9_999, -1),
      taken: choice('whether the order was taken', 'yes', ['no']),
      times,
      forMs: lasting(600_000),
    },
    run(stage, values) {
      const body = { code: values.number('code'), msg: 'An error of the server, by scenario.' };
      const rule: FaultRule = {
        on: onOrder,
        phase: values.text('taken') === 'yes' ? 'after_match' : 'before_accept',
        do: { action: 'status', code: values.number('status'), body },
        times: values.number('times'),
      };
      planFor(stage, this.name, [rule], values.number('forMs'));
    },
  },
  {
    name: 'order-limit',
    does: 'Every new order is refused with 429 because too many are unfilled.',
    expect: 'Ratchet waits as long as the venue says and sends the same order then, exits before entries.',
    parameters: { forMs: lasting(20_000) },
    run(stage, values) {
      const { limits } = stage.core.limits;
      const forMs = values.number('forMs');
      const msg = `Too many new orders; current limit is ${limits.ordersPer10s} orders per 10 SECOND.`;
      const headers = { 'Retry-After': String(Math.ceil(forMs / 1_000)) };
      const rule: FaultRule = {
        on: { method: 'POST', path: '/api/v3/order*' },
        phase: 'before_accept',
        do: { action: 'status', code: 429, body: { code: -1015, msg }, headers },
      };
      planFor(stage, this.name, [rule], forMs);
    },
  },
];
