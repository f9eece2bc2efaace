import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { haltBody, resumeBody, workingOrderSchema } from '../contracts/schemas/commands.ts';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import { holdSchema } from '../contracts/schemas/status-view.ts';
import { liftHold, setHold } from '../store/holds.ts';
import { actorOf, operating } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';
import { haltBudget } from './rate-limits.ts';

const refusals = { '4xx': errorBodySchema, '5xx': errorBodySchema };

export function haltsRoutes(scope: FastifyInstance, { db, now, rates }: ApiDependencies): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const config = { ...operating, ...haltBudget(rates) };
  app.post(
    '/v1/halts',
    {
      config,
      schema: {
        summary: 'Halt trading',
        description:
          'In force once it is answered: no entry is sent any more, and open trades go on being guarded. Names the ' +
          'entries that still work. It works with Temporal down.',
        tags: ['halts'],
        body: haltBody,
        response: {
          200: z.object({ hold: holdSchema, workingEntries: z.array(workingOrderSchema).readonly() }),
          ...refusals,
        },
      },
    },
    async (request) => {
      const { actor, level, ...halt } = request.body;
      if (level !== 'entries-blocked') throw new RatchetError('HALT_LEVEL_UNAVAILABLE', { level });
      return setHold(db, { ...halt, level, source: 'operator', actor: actorOf(request, actor), nowMs: now() });
    },
  );
  app.post(
    '/v1/resumes',
    {
      config,
      schema: {
        summary: "Lift an operator's halt",
        description: 'Lifts only what an operator has set; the breaker and the venue lift their own.',
        tags: ['halts'],
        body: resumeBody,
        response: { 200: z.object({ hold: holdSchema }), ...refusals },
      },
    },
    async (request) => {
      const { actor, ...resume } = request.body;
      const command = { ...resume, source: 'operator', actor: actorOf(request, actor), nowMs: now() } as const;
      const lifted = await liftHold(db, command);
      if (lifted.outcome === 'lifted') return { hold: lifted.hold };
      const { kind, id } = resume.scope;
      throw new RatchetError('HOLD_NOT_IN_FORCE', { scope: `${kind} ${id}`, outcome: lifted.outcome });
    },
  );
}
