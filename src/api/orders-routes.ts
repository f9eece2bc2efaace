import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { resolveBody } from '../contracts/schemas/commands.ts';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import { resolveOrder } from '../store/orders/orders.ts';
import { actorOf, operating } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

export function ordersRoutes(scope: FastifyInstance, { db, now }: ApiDependencies): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.post(
    '/v1/orders/:clientOrderId/resolve',
    {
      config: operating,
      schema: {
        summary: 'Settle a parked order',
        description: '`dead`: it does not exist and never will. `look-again`: ask the venue once more.',
        tags: ['orders'],
        params: z.strictObject({ clientOrderId: z.string().min(1).max(64) }),
        body: resolveBody,
        response: {
          200: z.object({ clientOrderId: z.string(), status: z.string() }),
          '4xx': errorBodySchema,
          '5xx': errorBodySchema,
        },
      },
    },
    async (request) => {
      const { clientOrderId } = request.params;
      const { actor, ...resolution } = request.body;
      const command = { clientOrderId, ...resolution, actor: actorOf(request, actor), nowMs: now() };
      const resolved = await resolveOrder(db, command);
      if (resolved.outcome === 'unknown-order') throw new RatchetError('ORDER_UNKNOWN', { clientOrderId });
      const { status } = resolved.reported;
      if (resolved.outcome === 'not-parked') throw new RatchetError('ORDER_NOT_PARKED', { clientOrderId, status });
      return { clientOrderId, status };
    },
  );
}
