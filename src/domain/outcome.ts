/**
 * What is known of one attempt to send an order.
 *
 * - `ACCEPTED`: the venue answered and the answer names our order.
 * - `NOT_SENT`: it did not reach the matching engine, definitely.
 * - `REJECTED`: the venue refused it, definitely.
 * - `THROTTLED`: refused by a rate limit, definitely not placed.
 * - `UNKNOWN`: it may stand on the book or have filled. Look it up; never send it again.
 * - `FATAL_CONFIG`: refused because of the key or the account. No retry helps; the venue is halted.
 */
export type OutcomeClass = 'ACCEPTED' | 'NOT_SENT' | 'REJECTED' | 'THROTTLED' | 'UNKNOWN' | 'FATAL_CONFIG';

/** Kinds of failure below HTTP. `refused`, `dns` and `tls` happen before the first byte of the request leaves. */
export type TransportFailure = 'refused' | 'dns' | 'tls' | 'timeout' | 'reset' | 'other';

/** What came back from a venue, in the venue's own codes, and whether a byte of the request may have left. */
export type VenueSignal =
  | { readonly kind: 'transport'; readonly failure: TransportFailure; readonly firstByteSent: boolean }
  /** An HTTP answer. `code` and `message` are the venue's; `matches` is false when a 2xx does not describe our order. */
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly code?: number;
      readonly message?: string;
      readonly matches?: boolean;
    };
