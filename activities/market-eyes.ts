import { setTimeout } from 'node:timers/promises';
import { isEqual } from '../src/domain/decimal.ts';
import { type Guard, joinGuards } from '../src/domain/guard.ts';
import { crashPoint } from '../src/observability/crash-point.ts';
import { createSymbolEyes, type Seen, type SymbolEyes } from '../src/prices/symbol-eyes.ts';
import { type ArmedGuard, acknowledgeGuards, checkpointGuards, commitTrigger, type ShardLease } from '../src/store/guards.ts';
import type { ActivityDependencies, VenueRoom } from './dependencies.ts';

const gapPage = 1_000;
const tellMovesEveryMs = 60_000;
const triggerRetryMs = 100;

/** What the watch holds of one guard beside its state: what has been told, and what is not yet in the book. */
type Held = {
  readonly row: ArmedGuard;
  dirty: boolean;
  activated: boolean;
  seenTradeId: number;
  toldAtMs: number;
};
