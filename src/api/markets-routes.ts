import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import { type MarketView, marketSchema } from '../contracts/schemas/status-view.ts';
import { remainingCapacity } from '../domain/limits/capacity.ts';
import { limitsOf, standingOf } from '../domain/limits/standing.ts';
import { readExposures } from '../store/trades/exposures.ts';
import { readAccount } from '../store/trading-state/accounts.ts';
import { reading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

export function marketsRoutes(scope: FastifyInstance, dependencies: ApiDependencies): void {
  scope.withTypeProvider<ZodTypeProvider>().get(
    '/v1/markets/:symbol',
    {
      config: reading,
      schema: {
        summary: 'Last price and rules of a symbol, and what room is left for it',
        description: 'The symbol as BASE/QUOTE with the slash as %2F.',
        tags: ['markets'],
        params: z.strictObject({ symbol: z.string().regex(/^[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}$/, 'BASE%2FQUOTE') }),
        response: { 200: marketSchema, '4xx': errorBodySchema, '5xx': errorBodySchema },
      },
    },
    async ({ params }) => {
      const [market, remaining] = await Promise.all([
        dependencies.readMarket(params.symbol),
        roomFor(dependencies, params.symbol),
      ]);
      if (!market) throw new RatchetError('SYMBOL_UNKNOWN', { symbol: params.symbol });
      return { ...market, remaining };
    },
  );
}

async function roomFor({ db, site, now }: ApiDependencies, symbol: string): Promise<MarketView['remaining']> {
  const [account, exposures] = await Promise.all([readAccount(db, site.account), readExposures(db, site.account)]);
  return remainingCapacity(standingOf(account, exposures, now()), limitsOf(account), symbol);
}
