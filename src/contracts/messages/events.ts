/**
 * The closed list of what the record can say. One of them is written for every change of state, in the transaction
 * that makes the change. The `Exit…` forms are those of orders that only take risk away.
 */
export type EventType =
  // Trades, limits and accounts
  | 'TradeDecided'
  | 'EntryDenied'
  | 'ReservationVoided'
  | 'AccountOpened'
  | 'AccountCurrencyChanged'
  | 'LimitsChanged'
  | 'LimitChangeRequested'
  | 'LimitChangeApproved'
  // Orders
  | 'OrderIntent'
  | 'OrderIntentRenewed'
  | 'OrderNotSent'
  | 'OrderThrottled'
  | 'OrderRejected'
  | 'OrderUnknown'
  | 'OrderAcked'
  | 'OrderProgressed'
  | 'OrderClosed'
  | 'OrderResolved'
  | 'OrderParked'
  | 'OrderPresumedDead'
  | 'ExitIntent'
  | 'ExitIntentRenewed'
  | 'ExitNotSent'
  | 'ExitThrottled'
  | 'ExitRejected'
  | 'ExitUnknown'
  | 'ExitAcked'
  | 'ExitProgressed'
  | 'ExitClosed'
  | 'ExitResolved'
  | 'ExitParked'
  | 'ExternalOrderSeen'
  // Fills and positions
  | 'Fill'
  | 'FillCorrection'
  | 'PositionOpened'
  | 'StopArmed'
  | 'StopAmended'
  | 'StopActivated'
  | 'StopMoved'
  | 'StopTriggered'
  | 'StopDisarmed'
  | 'ExitRequested'
  | 'PositionClosed'
  // Halts and the breaker
  | 'HaltApplied'
  | 'CancelSweep'
  | 'ResumeRequested'
  | 'ResumeApproved'
  | 'ResumeApplied'
  | 'BreakerTripped'
  | 'BreakerHalfOpened'
  | 'BreakerReset'
  // Reconciliation
  | 'BaselineTaken'
  | 'ReconcileRun'
  | 'DifferenceFound'
  | 'DifferenceChanged'
  | 'DifferenceGone'
  | 'CorrectionProposed'
  | 'CorrectionApproved'
  | 'CorrectionApplied'
  | 'CorrectionRejected'
  | 'CorrectionExpired'
  | 'CorrectionSuperseded'
  | 'PositionWrittenOff'
  // Alerts and access
  | 'AlertRaised'
  | 'AlertResolved'
  | 'ApiKeyCreated'
  | 'ApiKeyRevoked'
  | 'ApprovalPolicySet'
  | 'AuthzDenied';

/** Who made a change: a person, a lifecycle by its workflow id, a part of the system, or the venue by its report. */
export type Actor = { readonly type: 'user' | 'workflow' | 'system' | 'venue'; readonly id: string };

/**
 * What every record's body has; the rest depends on its type. `at` is UTC with microseconds, by the clock of who wrote it.
 * Once stored it begins with what the database stamps on it: `_eventId`, `_insertNo` and, by its own clock, `_recordedAt`.
 */
export type EventEnvelope = {
  readonly v: 1;
  readonly type: EventType;
  readonly at: string;
  readonly tradeId?: string;
  readonly actor: Actor;
};
