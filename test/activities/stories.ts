import { afterAll, afterEach, beforeAll } from 'vitest';
import type { EntryTerms } from '../../src/contracts/messages/entry-request.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { FaultRule } from '../../src/simulator/server.ts';
import type { Db } from '../../src/store/database.ts';
import { createOrderBench, type OrderBench, type OrderBenchOptions } from '../support/order-bench/bench.ts';
import type { BenchEvidence } from '../support/order-bench/evidence.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

export type Theater = {
  /** A bench of its own for this test; it ends with the test. */
  open(options?: Partial<OrderBenchOptions>): Promise<OrderBench>;
  readonly db: () => Db;
  /** For what only an owner may do to the database. */
  readonly ownerUrl: () => string;
};

/** One database for a file, a bench with an account and a venue of its own for each test. */
export function aTheater(): Theater {
  let database: TestDatabase;
  let benches: OrderBench[] = [];
  let opened = 0;
  beforeAll(async () => {
    database = await aDatabase({ poolMax: 20 });
  });
  afterEach(async () => {
    await Promise.all(benches.map((bench) => bench.close()));
    benches = [];
  });
  afterAll(() => database?.close());
  return {
    async open(options = {}) {
      opened += 1;
      const bench = await createOrderBench({ db: database.db, account: `account-${opened}`, ...options });
      benches.push(bench);
      return bench;
    },
    db: () => database.db,
    ownerUrl: () => database.ownerUrl,
  };
}

/** The entries of the stories, at a market that is 100 both ways to a cent. */
export const limitThatRests = { type: 'LIMIT', price: decimal('99'), timeInForce: 'GTC' } as const satisfies EntryTerms;
export const limitThatFills: EntryTerms = { type: 'LIMIT', price: decimal('101'), timeInForce: 'GTC' };
export const market: EntryTerms = { type: 'MARKET' };
/** Of the book's one level only a part is there: the rest expires. */
export const immediate: EntryTerms = { type: 'LIMIT', price: decimal('100'), timeInForce: 'IOC' };

const placement = { method: 'POST', path: '/api/v3/order' } as const;

/** A fault of the nth placement from now on. */
export const placing = (phase: FaultRule['phase'], action: FaultRule['do'], nth = 1): FaultRule => ({
  on: { ...placement, nth },
  phase,
  do: action,
});

/** A fault of a look-up by client order id: of each, or of the nth. */
export const lookingUp = (phase: FaultRule['phase'], action: FaultRule['do'], nth?: number): FaultRule => ({
  on: { method: 'GET', path: '/api/v3/order', ...(nth !== undefined && { nth }) },
  phase,
  do: action,
});

export const canceling = (phase: FaultRule['phase'], action: FaultRule['do'], nth = 1): FaultRule => ({
  on: { method: 'DELETE', path: '/api/v3/order', nth },
  phase,
  do: action,
});

/** The venue's answer in place of the true one. */
export const status = (code: number, body: object | string = {}, headers = {}): FaultRule['do'] => ({
  action: 'status',
  code,
  body,
  headers,
});

export const placements = ({ ledger }: BenchEvidence) =>
  ledger.requests.filter(({ method, path }) => method === 'POST' && path === '/api/v3/order');

export const alertCodes = ({ alerts }: BenchEvidence): readonly string[] => alerts.map(({ code }) => code);

export const reservationOf = ({ reservations }: BenchEvidence, tradeId: string) =>
  reservations.find(({ trade_id }) => trade_id === tradeId);
