import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { recordOf } from '../contracts/schemas/book-views.ts';
import { errorBodySchema, RatchetError } from '../contracts/schemas/error-body.ts';
import { type TradeRecord, tradeRecordSchema } from '../contracts/schemas/trade-view.ts';
import type { Db } from '../store/database.ts';
import { readDecision } from '../store/trades/decisions.ts';
import { tradeRecords } from '../store/trades/trade-records.ts';
import { reading } from './auth.ts';
import type { ApiDependencies } from './dependencies.ts';

const lookEveryMs = 200;
const pulseEveryMs = 15_000;
const pageSize = 500;
const finalPhases: ReadonlySet<string> = new Set(['denied', 'closed', 'unfilled']);

const query = z.strictObject({
  after: z.coerce.number().pipe(z.int('a whole number').min(0, 'a whole number from 0')).default(0),
  waitMs: z.coerce
    .number()
    .pipe(z.int('whole milliseconds').min(0, 'from 0 to 30000').max(30_000, 'from 0 to 30000'))
    .default(0),
});

/** `isOver`: the trade has ended, and nothing comes after these. */
type Page = { readonly records: readonly TradeRecord[]; readonly isOver: boolean };

export function recordsRoutes(scope: FastifyInstance, { db }: ApiDependencies): void {
  const app = scope.withTypeProvider<ZodTypeProvider>();
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  app.get(
    '/v1/trades/:tradeId/records',
    {
      config: reading,
      schema: {
        summary: "A trade's records, and those to come",
        description:
          'Answers what is after `after`, or waits up to `waitMs` for the next one. With `accept: text/event-stream` it ' +
          'goes on until the trade has ended, and `last-event-id` goes on where a lost connection stopped.',
        tags: ['trades'],
        params: z.strictObject({ tradeId: z.string().min(1).max(64) }),
        querystring: query,
        response: {
          200: z.object({ records: z.array(tradeRecordSchema).readonly(), isOver: z.boolean() }),
          '4xx': errorBodySchema,
          '5xx': errorBodySchema,
        },
      },
    },
    async (request, reply) => {
      const { tradeId } = request.params;
      const { after, waitMs } = request.query;
      const gone = AbortSignal.any([closing.signal, leaving(reply)]);
      if (!request.headers.accept?.includes('text/event-stream')) {
        return nextPage(db, tradeId, after, Date.now() + waitMs, gone);
      }
      // Whoever asks for an unknown trade gets the refusal as an answer, not as a stream that ends.
      await pageAfter(db, tradeId, after);
      return stream(reply, db, tradeId, lastSeen(request) ?? after, gone);
    },
  );
}

const isNews = ({ records, isOver }: Page): boolean => records.length > 0 || isOver;

async function pageAfter(db: Db, tradeId: string, after: number): Promise<Page> {
  // The phase is read first: what is recorded with the end of the trade is then among the records.
  const trade = await readDecision(db, tradeId);
  if (!trade) throw new RatchetError('TRADE_UNKNOWN', { tradeId });
  const records = await tradeRecords(db, tradeId, { no: after, limit: pageSize });
  return { records: records.map(recordOf), isOver: finalPhases.has(trade.phase) && records.length < pageSize };
}

// Records come from every worker. A short query now and then is simpler than telling this process of each, and a
// person or a bot does not notice a fifth of a second.
async function nextPage(db: Db, tradeId: string, after: number, untilMs: number, gone: AbortSignal): Promise<Page> {
  let page = await pageAfter(db, tradeId, after);
  while (!isNews(page) && Date.now() < untilMs && !gone.aborted) {
    await delay(lookEveryMs, undefined, { signal: gone }).catch(() => undefined);
    page = await pageAfter(db, tradeId, after);
  }
  return page;
}

async function stream(
  reply: FastifyReply,
  db: Db,
  tradeId: string,
  after: number,
  gone: AbortSignal,
): Promise<FastifyReply> {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let last = after;
  try {
    while (!gone.aborted) {
      const { records, isOver } = await nextPage(db, tradeId, last, Date.now() + pulseEveryMs, gone);
      for (const record of records) reply.raw.write(eventOf(record));
      last = records.at(-1)?.no ?? last;
      if (isOver) {
        reply.raw.write('event: end\ndata: {}\n\n');
        break;
      }
      if (records.length === 0) reply.raw.write(': still here\n\n');
    }
  } finally {
    reply.raw.end();
  }
  return reply;
}

const eventOf = (record: TradeRecord): string =>
  `id: ${record.no}\nevent: ${record.type}\ndata: ${JSON.stringify(record)}\n\n`;

function lastSeen(request: FastifyRequest): number | undefined {
  const id = Number(request.headers['last-event-id']);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

/** Aborts when the caller hangs up, so that nobody is waited for who is gone. */
function leaving(reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  return left.signal;
}
