import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import { marketSchema } from '../contracts/schemas/status-view.ts';
import { reading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

export function marketsRoutes(scope: FastifyInstance, { readMarket }: ApiDependencies): void {
  scope.withTypeProvider<ZodTypeProvider>().get(
    '/v1/markets/:symbol',
    {
      config: reading,
      schema: {
        summary: 'Last price and rules of a symbol',
        description: 'The symbol as BASE/QUOTE with the slash as %2F.',
        tags: ['markets'],
        params: z.strictObject({ symbol: z.string().regex(/^[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}$/, 'BASE%2FQUOTE') }),
        response: { 200: marketSchema, '4xx': errorBodySchema, '5xx': errorBodySchema },
      },
    },
    async ({ params }) => {
      const market = await readMarket(params.symbol);
      if (!market) throw new RatchetError('SYMBOL_UNKNOWN', { symbol: params.symbol });
      return market;
    },
  );
}
