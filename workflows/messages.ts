import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { EntryDecision } from '../src/contracts/messages/decision.ts';
import type {
  EntryProgressed,
  GuardChanged,
  Halt,
  OrderReported,
  PositionClosed,
  Resume,
  StopAmendment,
} from '../src/contracts/messages/messages.ts';
import { queries, signals, updates } from '../src/contracts/messages/messages.ts';
import { searchAttributes } from '../src/contracts/messages/names.ts';
import {
  type CorrectionState,
  type CorrectionVerdict,
  correctionQuery,
  correctionUpdates,
  correctionWithdrawn,
} from '../src/contracts/messages/reconciliation.ts';
import type {
  BreakerView,
  CancelAllView,
  EntryView,
  ExitView,
  PositionView,
  ProtectionView,
  StopView,
} from '../src/contracts/messages/views.ts';

export const orderReported = defineSignal<[OrderReported]>(signals.orderReported);
export const entryProgressed = defineSignal<[EntryProgressed]>(signals.entryProgressed);
export const guardChanged = defineSignal<[GuardChanged]>(signals.guardChanged);
export const positionClosed = defineSignal<[PositionClosed]>(signals.positionClosed);
export const wake = defineSignal(signals.wake);
export const poke = defineSignal(signals.poke);
export const halt = defineSignal<[Halt]>(signals.halt);
export const resume = defineSignal<[Resume]>(signals.resume);

export const entryView = defineQuery<EntryView>(queries.entry);
export const positionView = defineQuery<PositionView>(queries.position);
export const stopView = defineQuery<StopView | null>(queries.stop);
export const exitView = defineQuery<ExitView>(queries.exit);
export const protectionView = defineQuery<ProtectionView>(queries.protection);
export const sweepView = defineQuery<CancelAllView>(queries.sweep);
export const breakerView = defineQuery<BreakerView | null>(queries.breaker);

export const correctionState = defineQuery<CorrectionState>(correctionQuery);
export const withdrawn = defineSignal(correctionWithdrawn);
export const approve = defineUpdate<CorrectionState, [CorrectionVerdict]>(correctionUpdates.approve);
export const reject = defineUpdate<CorrectionState, [CorrectionVerdict]>(correctionUpdates.reject);

export const decide = defineUpdate<EntryDecision>(updates.decide);
export const amendStop = defineUpdate<StopView, [StopAmendment]>(updates.amendStop);

export const symbolAttribute = defineSearchAttributeKey(searchAttributes.symbol, SearchAttributeType.KEYWORD);
export const strategyAttribute = defineSearchAttributeKey(searchAttributes.strategy, SearchAttributeType.KEYWORD);
export const stateAttribute = defineSearchAttributeKey(searchAttributes.state, SearchAttributeType.KEYWORD);
export const accountAttribute = defineSearchAttributeKey(searchAttributes.account, SearchAttributeType.KEYWORD);
