import { type Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import type { Rates } from '../../src/api/rate-limits.ts';
import { createApi } from '../../src/api/server.ts';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { breakerDefaults } from '../../src/domain/circuit-breaker.ts';
import { decimal } from '../../src/domain/decimal.ts';
import { createKey, revokeKey, sha256OfSecret } from '../../src/store/api-keys.ts';
import { approving, decide, nowMs, openAccount } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

export const keys = {
  all: 'key-with-every-scope',
  read: 'key-that-only-reads',
  trade: 'key-that-only-trades',
  operate: 'key-that-only-operates',
  revoked: 'key-that-was-revoked',
} as const;

export type TestApi = {
  readonly app: FastifyInstance;
  readonly database: TestDatabase;
  /** Requests that reached Temporal. */
  readonly entered: EntryRequest[];
  /** The last price of BTC/USDT, unless a test says that there is none. */
  last: string | null;
  /** What an entry does, in place of the workflow: approves unless a test says otherwise. */
  onEnter: (request: EntryRequest) => Promise<unknown>;
  call(method: 'GET' | 'POST', url: string, body?: unknown, key?: string): Promise<Answer>;
  close(): Promise<void>;
};

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Of an answer in JSON. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
};

/** The API on a database of its own, with a stand-in for Temporal that decides at once. */
export async function anApi(rates: Rates = { requests: 100_000, halts: 100_000 }): Promise<TestApi> {
  const database = await aDatabase();
  const { db } = database;
  await openAccount(db);
  await makeKeys(database);
  const entered: EntryRequest[] = [];
  const api: Pick<TestApi, 'onEnter' | 'last'> = {
    last: '100',
    onEnter: async (request) => {
      const { outcome } = await decide(db, request, approving(request));
      throw outcome === 'unknown-account'
        ? refusal('REQUEST_INVALID')
        : new WorkflowUpdateRPCTimeoutOrCancelledError('the book has the decision');
    },
  };
  const app = await createApi({
    db,
    temporal: temporalThat((request) => {
      entered.push(request);
      return api.onEnter(request);
    }),
    logger: pino({ level: 'silent' }),
    now: () => nowMs,
    rates,
    site: {
      mode: 'paper',
      account: 'main',
      venue: 'paper',
      currency: 'USDT',
      temporalUi: { uiUrl: 'http://127.0.0.1:8233', namespace: 'default' },
    },
    breaker: breakerDefaults,
    readMarket: async (symbol) => (symbol === 'BTC/USDT' ? aMarket : undefined),
    lastPrice: async () => (api.last === null ? null : { price: decimal(api.last), ageMs: 40 }),
    metricsText: async () => 'ratchet_up 1\n',
  });
  return Object.assign(api, {
    app,
    database,
    entered,
    call: (method: 'GET' | 'POST', url: string, body?: unknown, key: string = keys.all) =>
      call(app, { method, url, ...(body !== undefined && { payload: JSON.stringify(body) }) }, key),
    close: async () => {
      await app.close();
      await database.close();
    },
  });
}

const refusal = (code: string): Error =>
  new WorkflowUpdateFailedError('refused', ApplicationFailure.nonRetryable(code, code));

const aMarket = {
  symbol: 'BTC/USDT',
  last: decimal('100'),
  tickSize: decimal('0.01'),
  stepSize: decimal('0.00001'),
  quantityMin: decimal('0.00001'),
  notionalMin: decimal('10'),
  pricesEnded: false,
};

const actor = { type: 'system', id: 'test' } as const;

async function makeKeys(database: TestDatabase): Promise<void> {
  const { db } = database;
  const scopes = { all: ['read', 'trade', 'operate'], read: ['read'], trade: ['trade'], operate: ['operate'] };
  for (const [label, key] of Object.entries(keys)) {
    const allowed = scopes[label as keyof typeof scopes] ?? scopes.all;
    await createKey(db, { keyId: label, sha256: sha256OfSecret(key), label, scopes: allowed, actor, nowMs });
  }
  await revokeKey(db, { keyId: 'revoked', actor, nowMs });
}

type Started = { readonly startWorkflowOperation: { readonly options: { readonly args: [EntryRequest] } } };

function temporalThat(enter: (request: EntryRequest) => Promise<unknown>): Client {
  const temporal = {
    options: { namespace: 'default' },
    withDeadline: (_deadline: number, work: () => unknown) => work(),
    workflow: {
      executeUpdateWithStart: (_update: string, { startWorkflowOperation }: Started) =>
        enter(startWorkflowOperation.options.args[0]),
    },
    workflowService: { describeTaskQueue: async () => ({ pollers: [] }) },
  };
  return temporal as unknown as Client;
}

async function call(app: FastifyInstance, options: InjectOptions, key: string): Promise<Answer> {
  const response = await app.inject({
    ...options,
    headers: {
      ...(key !== '' && { authorization: `Bearer ${key}` }),
      ...(options.payload !== undefined && { 'content-type': 'application/json' }),
    },
  });
  const isJson = String(response.headers['content-type']).startsWith('application/json');
  const body = isJson ? response.json() : {};
  return { status: response.statusCode, headers: response.headers, body, text: response.payload };
}
