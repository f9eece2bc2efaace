import type { ErrorCode } from '../errors.ts';

/**
 * Every code that an alert may have, with what ends it. Null: a person does, once it is looked after, because it tells of
 * something that has happened and no later state of the product takes back. All others last as long as what they tell of:
 * ended by hand they would hide it.
 */
const alertEndings = {
  // What has happened, and a person has to look after.
  AUDIT_CHAIN_BROKEN: null,
  AUDIT_CHECKPOINT_NOT_WRITTEN: null,
  AUDIT_CHECKPOINT_UNTRUSTED: null,
  AUDIT_TAIL_LOST: null,
  DEAD_ORDER_APPEARED: null,
  EVENT_CONFLICT: null,
  FEE_UNVALUED: null,
  FILL_AFTER_CLOSE: null,
  // Of one that the stream alone has told there is no difference whose correction would end it.
  FILL_CORRECTED: null,
  ORDER_ANSWER_MALFORMED: null,
  ORDER_REPORT_ILLEGAL: null,
  ORPHAN_ORDER: null,

  // What lasts.
  AUDIT_CHECKPOINT_NO_SPACE: 'the next checkpoint that finds room',
  AUDIT_SEALING_LATE: 'the records being sealed in time again',
  BALANCE_DRIFT: 'the correction that is approved, or the comparison that finds no difference',
  CANCEL_SWEEP_INCOMPLETE: 'the last of the named orders being gone, or the halt being lifted',
  DISK_SHORT: 'the worker of that machine, once there is room again',
  EXIT_REFUSED: 'the venue taking an exit of the trade, or the trade being closed',
  EXTERNAL_ORDER: 'the correction that is approved, or the comparison that finds it ended without a fill',
  FILL_MISSING: 'the correction that is approved, or the comparison that finds no difference',
  FILL_UNCOUNTED: 'the correction that is approved, or the comparison that finds no difference',
  FLATTEN_INCOMPLETE: 'the last of the named trades being flat, or the halt being lifted',
  GUARDS_UNWATCHED: 'a worker that watches the positions again',
  LIMITS_NEED_APPROVAL: 'the next start that finds nothing loosened by the limits file',
  MONITOR_GONE: 'the trade being closed',
  ORDER_MISSING: 'the correction that is approved, or the comparison that finds no difference',
  ORDER_PARKED: 'the order being resolved: ratchet resolve',
  ORDER_UNRESOLVED: "the venue's answer about the order, or the order being parked",
  POSITION_SHORT: 'the correction that is approved, or the comparison that finds no difference',
  PRICES_STALE: 'prices that come again',
  PROTECTIVE_STOP_GONE: 'the venue taking a stop, or the trade being closed',
  PROTECTIVE_STOP_UNAVAILABLE: 'the venue taking a stop, or the trade being closed',
  RECONCILIATION_LATE: 'the next comparison that can read every part',
  VENUE_BANNED: 'the first answer of the venue after the ban',
  VENUE_CLOCK_REFUSED: 'the first signed request that the venue answers again',
  VENUE_KEY_REFUSED: 'the first signed request that the venue answers again',
} as const satisfies Partial<Record<ErrorCode, string | null>>;

/** A code that an alert may have. */
export type AlertCode = keyof typeof alertEndings;

export const alertCodes = Object.keys(alertEndings) as readonly AlertCode[];

/** What ends an alert of this code by itself. Null: nothing does, so a person may, also one of a code that is no more. */
export const alertEndsWith = (code: string): string | null =>
  Object.hasOwn(alertEndings, code) ? alertEndings[code as AlertCode] : null;
