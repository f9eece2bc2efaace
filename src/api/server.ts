import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { type FastifyInstance, fastify, LogController } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject, serializerCompiler } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { RatchetClientError } from '../client/client-error.ts';
import { errorBody } from '../contracts/schemas/error-body.ts';
import { faultsOf } from '../contracts/schemas/faults.ts';
import { alertsRoutes } from './alerts-routes.ts';
import { approvalsRoutes } from './approvals-routes.ts';
import { requireScopes } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';
import { handleErrors } from './errors.ts';
import { haltsRoutes } from './halts-routes.ts';
import { marketsRoutes } from './markets-routes.ts';
import { ordersRoutes } from './orders-routes.ts';
import { limitRates } from './rate-limits.ts';
import { reconciliationRoutes } from './reconciliation-routes.ts';
import { recordsRoutes } from './records-routes.ts';
import { statusRoutes } from './status-routes.ts';
import { tradesRoutes } from './trades-routes.ts';

const bodyLimitBytes = 64 * 1024;

/**
 * The HTTP API. Every route says who may use it, or the server does not start; every error has one shape. It decides
 * nothing: it parses, asks the workflow or the book, and answers.
 */
export async function createApi(dependencies: ApiDependencies): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: dependencies.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    genReqId: () => randomUUID(),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
  });
  app.setValidatorCompiler<z.ZodType>(({ schema }) => validator(schema));
  app.setSerializerCompiler(serializerCompiler);
  // JSON alone: a page in a browser can't send that here without being asked first.
  app.removeContentTypeParser('text/plain');
  handleErrors(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
  });
  await app.register(helmet, { contentSecurityPolicy: { directives: pageSources }, strictTransportSecurity: false });
  await describe(app);
  await limitRates(app, dependencies.rates);
  requireScopes(app, dependencies);
  for (const routes of [
    tradesRoutes,
    recordsRoutes,
    ordersRoutes,
    haltsRoutes,
    approvalsRoutes,
    alertsRoutes,
    reconciliationRoutes,
    statusRoutes,
    marketsRoutes,
  ]) {
    await app.register(async (scope) => routes(scope, dependencies));
  }
  await app.ready();
  return app;
}

/** Every fault of an input at once, in the form all faces share. */
const validator = (schema: z.ZodType) => (input: unknown) => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { value: parsed.data };
  return { error: new RatchetClientError(errorBody('REQUEST_INVALID', {}, faultsOf(parsed.error, input))) };
};

// For the page at /docs, which brings its own scripts and styles; nothing else here is for a browser.
const pageSources = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  frameAncestors: ["'none'"],
  upgradeInsecureRequests: null,
};

async function describe(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Ratchet',
        version: '1',
        description:
          'Durable trades: enter them, follow them, close them; halt and resume trading. ' +
          'Decimals are texts, times are epoch milliseconds, unknown fields are faults.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'list' } });
}
