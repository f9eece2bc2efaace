import type { CatalogEntry } from './catalog-entry.ts';

/** What can become of an order and of its fills. */
export const orderErrors = {
  ORDER_REJECTED: {
    retryable: false,
    summary: 'The venue refused the order.',
    remedy: 'Read what the venue says of it; what was reserved for it is free again.',
  },
  ORDER_PARKED: {
    retryable: false,
    summary: 'Nobody can say what became of this order: the venue does not know it, and its time to appear has passed.',
    remedy:
      'Look for it in the account at the venue, then say what became of it: ratchet resolve <clientOrderId> --verdict dead|look-again --reason TEXT.',
  },
  ORDER_UNRESOLVED: {
    retryable: false,
    summary: 'Nobody knows yet what became of this order, and the venue can not be asked.',
    remedy: 'Look for it in the account at the venue if it can not wait. It goes on being asked for.',
  },
  ORDER_NOT_PARKED: {
    retryable: false,
    summary: 'Only a parked order waits for a person.',
    remedy: 'Look at the order first: the venue has answered since, or is still being asked.',
  },
  ORDER_TRADE_CLOSED: {
    retryable: false,
    summary: 'The trade of this order is closed: nothing waits for what the venue would say of it.',
    remedy:
      'It stays parked, and the venue is asked for it at every poll. Where it is not there: ratchet resolve <clientOrderId> --verdict dead --reason TEXT.',
  },
  ORDER_UNKNOWN: {
    retryable: false,
    summary: 'There is no order with this client order id.',
    remedy: 'Take the id from the alert or from the trade.',
  },
  ORDER_DECLARED_DEAD: {
    retryable: false,
    summary: 'A person found that this order does not exist at the venue.',
    remedy: 'Nothing: what was reserved for it is free again.',
  },
  DEAD_ORDER_APPEARED: {
    retryable: false,
    summary: 'An order that was declared dead is at the venue after all.',
    remedy:
      'It is canceled if it still works; what it filled is in the book. Look whether the trade holds what it should.',
  },
  ORDER_PRESUMED_DEAD: {
    retryable: false,
    summary:
      'The venue did not know this order when its time to appear had passed, so it was placed again under another id.',
    remedy: 'Nothing: it is still looked for. RATCHET_UNRESOLVED_ORDERS=park has a person decide instead.',
  },
  ORPHAN_ORDER: {
    retryable: false,
    summary: 'An order that was presumed dead, and placed again under another id, is at the venue after all.',
    remedy:
      'It is canceled if it still works; what it filled belongs to its trade and is closed with it. Look whether the trade holds more than it should.',
  },
  ORDER_ARCHIVED: {
    retryable: false,
    summary: 'The venue has archived the order: it ended long ago without a fill.',
    remedy: 'Nothing: what was reserved for it is free again.',
  },
  ORDER_ANSWER_MALFORMED: {
    retryable: false,
    summary: "The venue's answer to an order is not about this order, so nobody knows yet what became of it.",
    remedy: 'Nothing: it is looked for. If it happens again, report it with the answer that the record shows.',
  },
  REPLACED_ORDER_ENDED: {
    retryable: false,
    summary: 'The order that was to be replaced does not work any more, so nothing was placed in its stead.',
    remedy: 'Nothing: whoever replaces it looks again at what is left.',
  },
  REPLACEMENT_NOT_PLACED: {
    retryable: false,
    summary: 'The venue did not place the order that was to replace another one.',
    remedy: 'Nothing: whoever replaces it looks again. The order that was to be replaced may still work.',
  },
  EXIT_REFUSED: {
    retryable: false,
    summary: 'The venue refuses the exit of a position. It is tried again and again.',
    remedy: "Read the venue's reason: the symbol may be halted, or the position locked or sold by somebody else.",
  },
  ORDER_REPORT_ILLEGAL: {
    retryable: false,
    summary: "The venue's report of this order can't be true, so the book did not follow it.",
    remedy: 'Compare the order at the venue with the book; the alert names the order and what is wrong.',
  },
  ORDER_NOT_PLACED: {
    retryable: true,
    summary: 'Nothing was placed, definitely, and the order will be tried again.',
    remedy: 'Nothing while retries last. If it goes on, look at the rate limits and the status of the venue.',
  },
  CANCEL_UNCONFIRMED: {
    retryable: true,
    summary: 'The venue has not confirmed the cancel yet.',
    remedy: 'Nothing while retries last. `ratchet trade <id>` shows how the order stands.',
  },
  ORDER_UNSETTLED: {
    retryable: true,
    summary: 'Nobody can say yet what became of the order; it is asked for again.',
    remedy: 'Nothing while retries last. `ratchet trade <id>` shows how the order stands.',
  },
  ORDER_NOT_SENT: {
    retryable: false,
    summary: 'The order was never taken by the venue, so there is nothing to wait for.',
    remedy: 'An exit goes out again by itself. For an entry, send a fresh request with a new trade id.',
  },
  ENTRY_WITHDRAWN: {
    retryable: false,
    summary: 'The trade was asked to end before its entry order was sent.',
    remedy: 'Nothing: no order was placed. A new trade needs a new trade id.',
  },
  STOP_WITHDRAWN: {
    retryable: false,
    summary: 'The exit was asked for before the stop was sent to the venue, so it was not: the exit sells.',
    remedy: 'Nothing: no order was placed.',
  },
  ENTRY_EXCEEDS_RESERVATION: {
    retryable: false,
    summary: 'The entry order asks for more than was reserved for it, so it was not sent.',
    remedy: 'Report it with the trade id: the order and its reservation come from one request.',
  },
  EXIT_EXCEEDS_POSITION: {
    retryable: false,
    summary: 'The exit order asks for more than there is left to sell, so it was not sent.',
    remedy: 'Nothing: the exit looks again at what is left.',
  },
  EXTERNAL_ORDER: {
    retryable: false,
    summary: 'Somebody else trades this account: the order is not ours.',
    remedy:
      'Use an account of its own for Ratchet, or stop what else trades there; its exposure is not in the limits. If it was you: ratchet corrections.',
  },
  FILL_CORRECTED: {
    retryable: false,
    summary: 'The venue told a fill a second time with other content. The first one was kept.',
    remedy: 'Compare the fill with the account statement of the venue; both versions are in the record.',
  },
  FILL_AFTER_CLOSE: {
    retryable: false,
    summary: 'An entry filled after its trade was closed: there is a position that nobody guards.',
    remedy: 'Close the position at the venue by hand; the trade shows what it holds.',
  },
  FEE_UNVALUED: {
    retryable: false,
    summary: 'A fee was taken in an asset whose price nobody knew, so the P&L leaves it out.',
    remedy: 'Pay fees in the quote asset, or add the fees of the record by hand.',
  },
} as const satisfies Record<string, CatalogEntry>;
