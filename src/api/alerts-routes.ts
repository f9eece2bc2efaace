import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { alertIdText, alertResolvedSchema, alertsSchema, resolveAlertBody } from '../contracts/schemas/alerts.ts';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import { openAlerts, resolveByHand } from '../store/alerts.ts';
import { actorOf, operating, reading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

const refusals = { '4xx': errorBodySchema, '5xx': errorBodySchema };

export function alertsRoutes(scope: FastifyInstance, { db, now }: ApiDependencies): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.get(
    '/v1/alerts',
    {
      config: reading,
      schema: {
        summary: 'Open alerts, the gravest and oldest first',
        tags: ['alerts'],
        response: { 200: alertsSchema, ...refusals },
      },
    },
    async () => ({ alerts: await openAlerts(db) }),
  );
  app.post(
    '/v1/alerts/:alertId/resolve',
    {
      config: operating,
      schema: {
        summary: 'End an alert that tells of what has happened',
        description:
          'What lasts ends by itself, with what it tells of: that is refused. The same again changes nothing.',
        tags: ['alerts'],
        params: z.strictObject({ alertId: alertIdText }),
        body: resolveAlertBody,
        response: { 200: alertResolvedSchema, ...refusals },
      },
    },
    async (request) => {
      const alertId = Number(request.params.alertId);
      const { actor, ...asked } = request.body;
      const ended = await resolveByHand(db, { alertId, ...asked, actor: actorOf(request, actor), nowMs: now() });
      if (ended.outcome === 'unknown-alert') throw new RatchetError('ALERT_UNKNOWN', { alertId });
      if (ended.outcome === 'ends-by-itself') {
        throw new RatchetError('ALERT_ENDS_BY_ITSELF', { alertId, code: ended.code, endsWith: ended.endsWith });
      }
      return { alertId, ...ended };
    },
  );
}
