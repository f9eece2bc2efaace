import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { decideCorrection, reconcileNow } from '../client/reconciliation.ts';
import { errorBodySchema } from '../contracts/schemas/error-body.ts';
import {
  correctionSchema,
  reconcileBody,
  reconciliationSchema,
  reportSchema,
  verdictBody,
} from '../contracts/schemas/reconciliation.ts';
import { readCorrection, readCorrections } from '../store/reconciliation/corrections.ts';
import { readReconciliation } from '../store/reconciliation/watch.ts';
import { actorOf, operating, reading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

const refusals = { '4xx': errorBodySchema, '5xx': errorBodySchema };
const tags = ['reconciliation'];

export function reconciliationRoutes(scope: FastifyInstance, { db, temporal, site }: ApiDependencies): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const { account, venue } = site;
  app.get(
    '/v1/reconciliations',
    {
      config: reading,
      schema: {
        summary: 'What differs between book and venue',
        tags,
        response: { 200: reconciliationSchema, ...refusals },
      },
    },
    async () => readReconciliation(db, account),
  );
  app.post(
    '/v1/reconciliations',
    {
      config: operating,
      schema: {
        summary: 'Compare the book with the venue now',
        description:
          'Answers within seconds with what the run has found. Corrections that were rejected, or that nobody decided ' +
          'on in time, are proposed anew.',
        tags,
        body: reconcileBody,
        response: { 200: reportSchema, ...refusals },
      },
    },
    async (request) => {
      const { actor, ...asked } = request.body;
      return reconcileNow(temporal, { account, venue, ...asked, askedBy: actorOf(request, actor) });
    },
  );
  correctionRoutes(scope, { db, temporal, site });
}

function correctionRoutes(
  scope: FastifyInstance,
  { db, temporal, site }: Pick<ApiDependencies, 'db' | 'temporal' | 'site'>,
): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.get(
    '/v1/corrections',
    {
      config: reading,
      schema: {
        summary: 'Corrections of the book, those that wait for a decision first',
        tags,
        querystring: z.strictObject({ limit: z.coerce.number().pipe(z.int().min(1).max(500)).default(50) }),
        response: { 200: z.object({ corrections: z.array(correctionSchema).readonly() }), ...refusals },
      },
    },
    async (request) => ({ corrections: await readCorrections(db, { account: site.account, ...request.query }) }),
  );
  for (const verdict of ['approve', 'reject'] as const) {
    app.post(
      `/v1/corrections/:correctionId/${verdict}`,
      {
        config: operating,
        schema: {
          summary: verdict === 'approve' ? 'Have a correction applied' : 'Leave the book as it is',
          description: 'Answered once it is carried out. The same again finds what became of it.',
          tags,
          params: z.strictObject({ correctionId: z.string().min(1).max(128) }),
          body: verdictBody,
          response: { 200: correctionSchema, ...refusals },
        },
      },
      async (request) => {
        const { correctionId } = request.params;
        const { actor, reason } = request.body;
        return decideCorrection(
          { correctionId, verdict, actor: actorOf(request, actor), reason },
          { temporal, readCorrection: () => readCorrection(db, correctionId) },
        );
      },
    );
  }
}
