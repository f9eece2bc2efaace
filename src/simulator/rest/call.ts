import type { SimulatorClock } from '../clock.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { FaultPhase } from '../faults/faults.ts';
import type { Parameters } from './parameters.ts';
import type { RateLimits } from './rate-limits.ts';

/** What an endpoint needs of its request and of the venue. */
export type Call = {
  readonly requestId: number;
  readonly receivedAtMs: number;
  readonly parameters: Parameters;
  readonly exchange: Exchange;
  readonly clock: SimulatorClock;
  readonly limits: RateLimits;
  /** Whether the plan makes the venue slow or cruel in this phase of this request. */
  isStruck(phase: FaultPhase): boolean;
  /** Lets the plan have its way with this phase. */
  strike(phase: FaultPhase): Promise<void>;
  /** Notes that an order was placed or canceled. */
  accepted(phase: 'accepted' | 'matched'): void;
  /** Orders younger than this are not yet there for a query. */
  readonly lagMs: number;
};

export type Endpoint = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** `signed` = key, signature and timestamp; `key` = the key alone. */
  readonly security: 'none' | 'key' | 'signed';
  /** Orders and cancels cost their weight only when they fail. */
  readonly isFreeOnSuccess?: boolean;
  /** Adds to the count of unfilled orders. */
  readonly isOrder?: boolean;
  readonly weight: number | ((call: Pick<Call, 'parameters'>) => number);
  readonly parameters: readonly string[];
  answer(call: Call): unknown;
};
