import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { approvalBody, limitsBody } from '../contracts/schemas/commands.ts';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import { approvalSchema, holdSchema } from '../contracts/schemas/status-view.ts';
import { waitingApprovals } from '../store/trading-state/approvals.ts';
import { approve, changeLimits } from '../store/trading-state/resuming.ts';
import { actorOf, askerOf, operating, reading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

const refusals = { '4xx': errorBodySchema, '5xx': errorBodySchema };

/** What one person alone may not do waits here for another one. */
export function approvalsRoutes(scope: FastifyInstance, dependencies: ApiDependencies): void {
  const { db, now } = dependencies;
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.get(
    '/v1/approvals',
    {
      config: reading,
      schema: {
        summary: 'What waits for a second person',
        tags: ['approvals'],
        response: { 200: z.object({ approvals: z.array(approvalSchema).readonly() }), ...refusals },
      },
    },
    async () => ({ approvals: await waitingApprovals(db, now()) }),
  );
  app.post(
    '/v1/approvals',
    {
      config: operating,
      schema: {
        summary: 'Approve what another person has asked for',
        description:
          'With a key of your own. The hash says which request you have seen. With the last person needed it is ' +
          'carried out, once; after fifteen minutes it is not any more.',
        tags: ['approvals'],
        body: approvalBody,
        response: {
          200: z.object({
            outcome: z.enum(['applied', 'waiting']),
            approval: approvalSchema,
            hold: holdSchema.optional(),
            limitsVersion: z.int().optional(),
          }),
          ...refusals,
        },
      },
    },
    async (request) => {
      const { actor, approvalId, requestHash, reason } = request.body;
      const by = askerOf(request, actor, reason);
      const voted = await approve(db, { approvalId, requestHash, by, nowMs: now() });
      if (voted.outcome === 'refused') throw new RatchetError(voted.code, { approvalId });
      const { outcome, approval } = voted;
      return { outcome, approval, ...(voted.outcome === 'applied' && voted.result) };
    },
  );
  limitsRoute(scope, dependencies);
}

function limitsRoute(scope: FastifyInstance, { db, now, site }: ApiDependencies): void {
  scope.withTypeProvider<ZodTypeProvider>().post(
    '/v1/limits',
    {
      config: operating,
      schema: {
        summary: 'Change the limits of an account',
        description:
          'What tightens is in force at once. What loosens, too, unless a second person is needed: then 202 answers with ' +
          'what waits for them. The next start puts the limits file in force again.',
        tags: ['approvals'],
        body: limitsBody,
        response: {
          200: z.object({ outcome: z.enum(['changed', 'unchanged']) }),
          202: z.object({ loosened: z.array(z.string()).readonly(), approval: approvalSchema }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const { actor, account = site.account, limits, reason } = request.body;
      const by = askerOf(request, actor, reason);
      const asked = { account, limits, reason, actor: actorOf(request, actor), by, nowMs: now() };
      const changed = await changeLimits(db, asked);
      switch (changed.outcome) {
        case 'requested':
          return reply.status(202).send({ loosened: changed.loosened, approval: changed.approval });
        case 'needs-key':
          throw new RatchetError('LIMITS_NEED_APPROVAL', { account, loosened: changed.loosened.join(', ') });
        case 'unknown-account':
          throw new RatchetError('ACCOUNT_UNKNOWN', { account });
        default:
          return { outcome: changed.outcome };
      }
    },
  );
}
