import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

// Prometheus names: base units, the unit last; a counter ends in `_total`. A label is one of a few known values,
// never an id of a trade or an order.
const answerSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const reactionSeconds = [0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5];

export type Metrics = ReturnType<typeof createMetrics>;

/** What the product counts and measures, under names that begin with `ratchet_`. Once a registry. */
export function createMetrics(registry: Registry) {
  return {
    ...entryMetrics(registry),
    ...orderMetrics(registry),
    ...priceMetrics(registry),
    ...guardMetrics(registry),
    ...recordMetrics(registry),
    ...stateMetrics(registry),
  };
}

const entryMetrics = (registry: Registry) => ({
  entriesDecided: new Counter({
    name: 'ratchet_entries_decided_total',
    help: 'Decisions on entries, by outcome (approved, denied) and, for a denial, the code of its first reason.',
    labelNames: ['outcome', 'code'],
    registers: [registry],
  }),
});

const orderMetrics = (registry: Registry) => ({
  orderSends: new Counter({
    name: 'ratchet_order_sends_total',
    help: 'Orders sent to the venue, by purpose (entry, exit, stop) and outcome class of the answer.',
    labelNames: ['purpose', 'outcome'],
    registers: [registry],
  }),
  orderRoundTrip: new Histogram({
    name: 'ratchet_order_round_trip_seconds',
    help: "From an order's first byte to the venue's answer, or to giving up on it.",
    labelNames: ['purpose'],
    buckets: answerSeconds,
    registers: [registry],
  }),
});

const priceMetrics = (registry: Registry) => ({
  pricesQuarantined: new Counter({
    name: 'ratchet_prices_quarantined_total',
    help: 'Prices that were set aside because they could not be true or read, came out of sequence, or the venue contradicts them.',
    registers: [registry],
  }),
  pricesSuspect: new Counter({
    name: 'ratchet_prices_suspect_total',
    help: 'Prices so far from the last one that the venue was asked before they counted.',
    registers: [registry],
  }),
  priceGaps: new Counter({
    name: 'ratchet_price_gaps_total',
    help: "Gaps found in the venue's contiguous trade ids.",
    registers: [registry],
  }),
  priceStale: new Counter({
    name: 'ratchet_price_stale_total',
    help: 'Times that a price stream fell silent for longer than a price counts as fresh.',
    registers: [registry],
  }),
  priceRecovered: new Counter({
    name: 'ratchet_price_recovered_total',
    help: 'Times that a price stream that had fallen silent was heard again.',
    registers: [registry],
  }),
});

const guardMetrics = (registry: Registry) => ({
  armedGuards: new Gauge({
    name: 'ratchet_armed_guards',
    help: 'Guards (stop losses, take profits, trailing stops) that this process watches.',
    labelNames: ['shard'],
    registers: [registry],
  }),
  requestToExit: new Histogram({
    name: 'ratchet_exit_request_to_order_seconds',
    help: 'From the request of an exit, by a guard or a person, to its first order leaving for the venue.',
    labelNames: ['reason'],
    buckets: reactionSeconds,
    registers: [registry],
  }),
});

const recordMetrics = (registry: Registry) => ({
  outboxOpen: new Gauge({
    name: 'ratchet_outbox_open',
    help: 'Messages from the database to workflows that have not been accepted yet.',
    registers: [registry],
  }),
  outboxOldestAge: new Gauge({
    name: 'ratchet_outbox_oldest_age_seconds',
    help: 'Age of the oldest message that has not been accepted yet; 0 when there is none.',
    registers: [registry],
  }),
  recordsSealed: new Counter({
    name: 'ratchet_audit_records_sealed_total',
    help: 'Records of the audit chain that this process has sealed.',
    registers: [registry],
  }),
  sealLag: new Gauge({
    name: 'ratchet_audit_seal_lag_seconds',
    help: 'How long the oldest committed record has been waiting for its place in the audit chain; 0 when none waits.',
    registers: [registry],
  }),
  checkpointAge: new Gauge({
    name: 'ratchet_audit_checkpoint_age_seconds',
    help: 'How long the oldest sealed record has been waiting for a signed checkpoint; 0 when all are covered.',
    registers: [registry],
  }),
});

const stateMetrics = (registry: Registry) => ({
  reconciliationAge: new Gauge({
    name: 'ratchet_reconciliation_age_seconds',
    help: 'How long ago the last comparison of the book with the venue began that could read everything.',
    registers: [registry],
  }),
  differencesOpen: new Gauge({
    name: 'ratchet_differences_open',
    help: 'Differences between the book and the venue that last.',
    registers: [registry],
  }),
  alertsOpen: new Gauge({
    name: 'ratchet_alerts_open',
    help: 'Alerts that are raised and not resolved, by severity.',
    labelNames: ['severity'],
    registers: [registry],
  }),
  diskFree: new Gauge({
    name: 'ratchet_disk_free_bytes',
    help: 'Room on the fullest disk that this process writes to; below RATCHET_DISK_RESERVE_MB it takes on no new entries.',
    registers: [registry],
  }),
  loopLag: new Gauge({
    name: 'ratchet_event_loop_lag_seconds',
    help: 'How late the event loop of this process was at its last look; above 0.25 it takes on no new entries.',
    registers: [registry],
  }),
  breakerState: new Gauge({
    name: 'ratchet_breaker_state',
    help: '1 for the state that the circuit breaker of a scope is in (CLOSED, OPEN, HALF_OPEN), 0 for the others.',
    labelNames: ['scope', 'state'],
    registers: [registry],
  }),
  holdsInForce: new Gauge({
    name: 'ratchet_holds_in_force',
    help: 'Holds in force, by level.',
    labelNames: ['level'],
    registers: [registry],
  }),
});
