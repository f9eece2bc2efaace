import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { haltBody, resumeBody, workingOrderSchema } from '../contracts/schemas/commands.ts';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import { approvalSchema, holdSchema, sweepSchema } from '../contracts/schemas/status-view.ts';
import { sweepsOf } from '../store/trading-state/cancel-sweeps.ts';
import { applyHalt, isScopeUnused } from '../store/trading-state/halting.ts';
import { holdsInForce } from '../store/trading-state/holds.ts';
import { resume } from '../store/trading-state/resuming.ts';
import { actorOf, askerOf, operating, reading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';
import { haltBudget } from './rate-limits.ts';

const refusals = { '4xx': errorBodySchema, '5xx': errorBodySchema };
const sweeps = z.array(sweepSchema).readonly().describe('Of frozen and flatten: what is left to cancel and to close.');

export function haltsRoutes(scope: FastifyInstance, dependencies: ApiDependencies): void {
  const { db, now } = dependencies;
  const app = scope.withTypeProvider<ZodTypeProvider>();
  app.get(
    '/v1/halts',
    {
      config: reading,
      schema: {
        summary: 'Holds in force, and how far their sweeps are',
        tags: ['halts'],
        response: { 200: z.object({ halts: z.array(z.object({ hold: holdSchema, sweeps })).readonly() }), ...refusals },
      },
    },
    async () => {
      const holds = await holdsInForce(db, now());
      return {
        halts: await Promise.all(holds.map(async (hold) => ({ hold, sweeps: await sweepsOf(db, hold.holdId) }))),
      };
    },
  );
  haltRoute(scope, dependencies);
  resumeRoute(scope, dependencies);
}

function haltRoute(scope: FastifyInstance, { db, now, rates }: ApiDependencies): void {
  scope.withTypeProvider<ZodTypeProvider>().post(
    '/v1/halts',
    {
      config: { ...operating, ...haltBudget(rates) },
      schema: {
        summary: 'Halt trading',
        description:
          'In force once it is answered: no entry is sent any more, and open trades go on being guarded. `frozen` also ' +
          'takes back every working entry order, `flatten` also closes every position: GET /v1/halts says how far that ' +
          'is. Names the entries that still work. It works with Temporal down.',
        tags: ['halts'],
        body: haltBody,
        response: {
          200: z.object({
            hold: holdSchema,
            workingEntries: z.array(workingOrderSchema).readonly(),
            sweeps,
            isScopeUnused: z
              .boolean()
              .describe('Nothing has ever been in this strategy or symbol: see that it is spelled as meant.'),
          }),
          ...refusals,
        },
      },
    },
    async (request) => {
      const { actor, ...asked } = request.body;
      const { hold, workingEntries } = await applyHalt(db, { ...asked, actor: actorOf(request, actor), nowMs: now() });
      const [sweeps, isUnused] = await Promise.all([sweepsOf(db, hold.holdId), isScopeUnused(db, hold.scope)]);
      return { hold, workingEntries, sweeps, isScopeUnused: isUnused };
    },
  );
}

function resumeRoute(scope: FastifyInstance, { db, now, rates }: ApiDependencies): void {
  scope.withTypeProvider<ZodTypeProvider>().post(
    '/v1/resumes',
    {
      config: { ...operating, ...haltBudget(rates) },
      schema: {
        summary: "Lift an operator's halt, or the throttle's",
        description:
          'Lifts only what people lift; the breaker, the venue and reconciliation lift their own. Where a second person ' +
          'is needed, 202 answers with what waits for them: POST /v1/approvals.',
        tags: ['halts'],
        body: resumeBody,
        response: {
          200: z.object({ hold: holdSchema }),
          202: z.object({ approval: approvalSchema }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const { actor, ...asked } = request.body;
      const by = askerOf(request, actor, asked.reason);
      const resumed = await resume(db, { ...asked, actor: actorOf(request, actor), by, nowMs: now() });
      if (resumed.outcome === 'lifted') return { hold: resumed.hold };
      if (resumed.outcome === 'requested') return reply.status(202).send({ approval: resumed.approval });
      const { kind, id } = asked.scope;
      throw new RatchetError('HOLD_NOT_IN_FORCE', { scope: `${kind} ${id}`, outcome: resumed.outcome });
    },
  );
}
