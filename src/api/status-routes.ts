import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { temporalHealth } from '../client/task-queues.ts';
import { accountScope } from '../contracts/messages/names.ts';
import { errorBodySchema } from '../contracts/schemas/error-body.ts';
import { statusOf } from '../contracts/schemas/status-of.ts';
import { type StatusView, statusSchema } from '../contracts/schemas/status-view.ts';
import { openAlerts } from '../store/alerts.ts';
import { readStatus } from '../store/status.ts';
import { readExposures } from '../store/trades/exposures.ts';
import { readAccount } from '../store/trading-state/accounts.ts';
import { readBreaker } from '../store/trading-state/breaker.ts';
import { holdsInForce } from '../store/trading-state/holds.ts';
import { open, reading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

const plain = z.string();

export function statusRoutes(scope: FastifyInstance, dependencies: ApiDependencies): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.get(
    '/v1/status',
    {
      config: reading,
      schema: {
        summary: 'What runs, what is open, what is held, what is wrong',
        tags: ['status'],
        response: { 200: statusSchema, '4xx': errorBodySchema, '5xx': errorBodySchema },
      },
    },
    () => statusNow(dependencies),
  );
  app.get(
    '/healthz',
    {
      config: open,
      schema: { summary: 'Whether this process answers', tags: ['status'], security: [], response: { 200: plain } },
    },
    async () => 'ok\n',
  );
  app.get(
    '/metrics',
    {
      config: open,
      schema: {
        summary: 'Prometheus metrics of this process',
        tags: ['status'],
        security: [],
        response: { 200: plain },
      },
    },
    async (_request, reply) => {
      reply.type('text/plain; version=0.0.4; charset=utf-8');
      return dependencies.metricsText();
    },
  );
}

async function statusNow({ db, temporal, now, site, breaker: breakerSettings }: ApiDependencies): Promise<StatusView> {
  const nowMs = now();
  const [account, exposures, book, holds, alerts, breaker, health] = await Promise.all([
    readAccount(db, site.account),
    readExposures(db, site.account),
    readStatus(db),
    holdsInForce(db, nowMs),
    openAlerts(db),
    readBreaker(db, accountScope(site.account), nowMs),
    temporalHealth(temporal, site.venue),
  ]);
  return statusOf({ site, account, exposures, book, holds, alerts, breaker, breakerSettings, health, nowMs });
}
