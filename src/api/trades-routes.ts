import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { decisionOn, enterTrade } from '../client/enter-trade.ts';
import type { EntryRequest } from '../contracts/messages/entry-request.ts';
import { type LastPrices, summaryOf, viewOf } from '../contracts/schemas/book-views.ts';
import { closeBody, listQuery } from '../contracts/schemas/commands.ts';
import { entryRequestSchema } from '../contracts/schemas/entry-request.ts';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import {
  decisionSchema,
  type StoredDecision,
  storedDecisionSchema,
  tradeSummarySchema,
  tradeViewSchema,
} from '../contracts/schemas/trade-view.ts';
import { requestExit } from '../store/exits/exits.ts';
import { listTrades, readTrade, type Trade } from '../store/trades/trades.ts';
import { actorOf, closing, reading, trading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

const tradeParams = z.strictObject({ tradeId: z.string().min(1).max(64) });
const refusals = { '4xx': errorBodySchema, '5xx': errorBodySchema };

export function tradesRoutes(scope: FastifyInstance, dependencies: ApiDependencies): void {
  enterRoute(scope, dependencies);
  readRoutes(scope, dependencies);
  closeRoute(scope, dependencies);
}

function enterRoute(scope: FastifyInstance, { db, temporal }: ApiDependencies): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const readDecision = (id: string) => storedDecision(db, id);
  app.post(
    '/v1/trades',
    {
      config: trading,
      schema: {
        summary: 'Open a trade, or find the decision on it',
        description:
          'Answers once it is decided: 201 when a trade was opened by this call, 200 for a denial and for a decision ' +
          'that was made before. The same request again is safe at any time; 503 means to send it again.',
        tags: ['trades'],
        body: entryRequestSchema,
        response: { 200: decisionSchema, 201: decisionSchema, ...refusals },
      },
    },
    async (request, reply) => {
      const entry = request.body as EntryRequest;
      const known = await readDecision(entry.tradeId);
      if (known) return decisionOn(known, entry);
      const decision = await enterTrade(entry, { temporal, readDecision });
      return reply.status(decision.outcome === 'approved' ? 201 : 200).send(decision);
    },
  );
}

function readRoutes(scope: FastifyInstance, dependencies: ApiDependencies): void {
  const { db, site } = dependencies;
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.get(
    '/v1/trades',
    {
      config: reading,
      schema: {
        summary: 'Trades, the newest first',
        tags: ['trades'],
        querystring: listQuery,
        response: { 200: z.object({ trades: z.array(tradeSummarySchema).readonly() }), ...refusals },
      },
    },
    async ({ query }) => ({ trades: (await listTrades(db, query)).map(summaryOf) }),
  );
  app.get(
    '/v1/trades/:tradeId',
    {
      config: reading,
      schema: {
        summary: 'All that the book has of a trade',
        tags: ['trades'],
        params: tradeParams,
        response: { 200: tradeViewSchema, ...refusals },
      },
    },
    async ({ params }) => {
      const trade = await readTrade(db, params.tradeId);
      if (!trade) throw new RatchetError('TRADE_UNKNOWN', { tradeId: params.tradeId });
      return viewOf(trade, site.temporalUi, await pricesFor(trade, dependencies));
    },
  );
  app.get(
    '/v1/trades/:tradeId/decision',
    {
      config: reading,
      schema: {
        summary: 'The decision on a trade id, with the request that was decided',
        tags: ['trades'],
        params: tradeParams,
        response: { 200: storedDecisionSchema, ...refusals },
      },
    },
    async ({ params }) => {
      const stored = await storedDecision(db, params.tradeId);
      if (!stored) throw new RatchetError('TRADE_UNKNOWN', { tradeId: params.tradeId });
      return stored;
    },
  );
}

/** Of what is still open. A price of this venue says nothing about a trade at another one. */
async function pricesFor(trade: Trade, { site, lastPrice }: ApiDependencies): Promise<LastPrices> {
  const open = trade.venue === site.venue ? trade.positions.filter(({ isOpen }) => isOpen) : [];
  const prices = await Promise.all(open.map(async ({ symbol }) => [symbol, await lastPrice(symbol)] as const));
  return Object.fromEntries(prices.flatMap(([symbol, last]) => (last === null ? [] : [[symbol, last]])));
}

function closeRoute(scope: FastifyInstance, { db, now }: ApiDependencies): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.post(
    '/v1/trades/:tradeId/close',
    {
      config: closing,
      schema: {
        summary: 'Ask for the exit of a trade',
        description: 'No hold refuses it. `already` when the exit was asked for before, by whomever.',
        tags: ['trades'],
        params: tradeParams,
        body: closeBody,
        response: { 200: z.object({ outcome: z.enum(['requested', 'already']) }), ...refusals },
      },
    },
    async (request) => {
      const { actor, reason, ...command } = request.body;
      const { tradeId } = request.params;
      const outcome = await requestExit(db, {
        tradeId,
        // Who may open trades is a bot; who may only close them is a person's tool.
        reason: request.apiKey?.scopes.includes('trade') ? 'bot' : 'operator',
        source: 'api',
        actor: actorOf(request, actor),
        note: reason,
        ...command,
        nowMs: now(),
      });
      return { outcome: closed(outcome, tradeId) };
    },
  );
}

function closed(outcome: Awaited<ReturnType<typeof requestExit>>, tradeId: string): 'requested' | 'already' {
  if (outcome === 'unknown-trade') throw new RatchetError('TRADE_UNKNOWN', { tradeId });
  if (outcome === 'not-open') throw new RatchetError('TRADE_NOT_OPEN', { tradeId });
  return outcome;
}

async function storedDecision(db: ApiDependencies['db'], id: string): Promise<StoredDecision | undefined> {
  const trade = await readTrade(db, id);
  return trade && { tradeId: id, request: trade.request, decision: trade.decision };
}
