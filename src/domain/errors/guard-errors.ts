import type { CatalogEntry } from './catalog-entry.ts';

/** Prices, and what watches them. */
export const guardErrors = {
  PRICE_INVALID: {
    retryable: false,
    summary: 'A price is not a positive number.',
    remedy: 'Nothing was decided on it. If a venue sends such prices, look at its status before trading there.',
  },
  TRAILING_DISTANCE_INVALID: {
    retryable: false,
    summary: 'The distance of a trailing stop is not positive, or reaches down to a price of zero.',
    remedy: 'Send a distance above 0 that is less than the whole price (for a long position, less than 100 percent).',
  },
  TRAILING_TICK_SIZE_MISSING: {
    retryable: false,
    summary: 'A trailing stop by ticks needs the tick size of the symbol.',
    remedy: 'Send the distance in percent or as an amount, or wait until the trading rules of the symbol are known.',
  },
  TRAILING_TICK_SIZE_INVALID: {
    retryable: false,
    summary: 'The tick size of a trailing stop is not positive.',
    remedy: 'Look at the trading rules of the symbol; a symbol without ticks has no tick size rather than 0.',
  },
  TRAILING_MINIMUM_MOVE_INVALID: {
    retryable: false,
    summary: 'The smallest move of a trailing stop is not positive.',
    remedy: 'Send a percentage above 0, or leave it out to make every improvement.',
  },
  TRAILING_ACTIVATION_INVALID: {
    retryable: false,
    summary: 'The activation price of a trailing stop is not positive.',
    remedy: 'Send a price above 0, or leave the activation out to trail from the start.',
  },
  TRAILING_ACTIVATION_TOO_NEAR: {
    retryable: false,
    summary:
      'The activation of a trailing stop is nearer than its distance, so that it would start by locking in a loss.',
    remedy: 'Move the activation further away than the distance, or choose a smaller distance.',
  },
  TRAILING_AMENDMENT_LOOSENS: {
    retryable: false,
    summary: 'The new distance of a trailing stop is larger than the one in force.',
    remedy: 'Send a smaller distance: a running stop is only ever tightened.',
  },
  TRAILING_STOP_TRIGGERED: {
    retryable: false,
    summary: 'The trailing stop has triggered already.',
    remedy: 'Nothing to do here: the exit is under way.',
  },
  STOP_AMENDMENT_REFUSED: {
    retryable: false,
    summary: 'The trailing stop can not be changed so.',
    remedy: 'Send a smaller distance while the position is open: a stop is only ever amended to protect more tightly.',
  },
  GUARD_ALREADY_ARMED: {
    retryable: false,
    summary: 'A guard with this id is armed already.',
    remedy: 'Amend the one that is armed, or disarm it first.',
  },
  GUARD_NOT_ARMED: {
    retryable: false,
    summary: 'No guard with this id is armed.',
    remedy: 'Arm it first. A guard that has triggered or was disarmed is not amended any more.',
  },
  GUARDS_UNWATCHED: {
    retryable: false,
    summary: 'Guards are armed and nobody watches their prices.',
    remedy:
      'See that a worker runs and that the workflow market-<shard> is not stuck; it is woken again every 5 seconds.',
  },
  MONITOR_GONE: {
    retryable: false,
    summary: 'Somebody ended the workflow that looks after this open position: nobody keeps its time stop any more.',
    remedy: 'Close the position: ratchet close <tradeId> --reason TEXT. An exit needs no monitor.',
  },
  PRICES_STALE: {
    retryable: true,
    summary:
      'The price stream has said nothing for more than 5 seconds. Guards see trades a question a second instead.',
    remedy:
      'See whether the venue answers and the network carries its streams; entries are denied where no price is fresh. It ends by itself once the stream is heard.',
  },
  PROTECTIVE_STOP_UNAVAILABLE: {
    retryable: true,
    summary:
      'The venue refuses the stop that it was to hold for a position. It is tried again; the local guard watches.',
    remedy: "Read the venue's reason: it may allow no more stop orders, or none for the symbol. Keep a worker running.",
  },
  PROTECTIVE_STOP_GONE: {
    retryable: false,
    summary:
      'The stop that the venue held for a position was canceled or has expired, and not by us. It is placed again.',
    remedy: 'Find out who canceled it: somebody else uses the key or the account.',
  },
  WATCH_LEASE_LOST: {
    retryable: true,
    summary: 'Another watch has taken over this shard, so this one writes nothing more.',
    remedy: 'Nothing: one watch has the lease at any time.',
  },
} as const satisfies Record<string, CatalogEntry>;
