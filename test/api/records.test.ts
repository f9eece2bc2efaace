import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestExit, settleTrade } from '../../src/store/exits/exits.ts';
import { parkOrder, resolveOrder } from '../../src/store/orders/orders.ts';
import { aRequest, decide, decisionOf, nowMs, placeEntry } from '../store/fixtures.ts';
import { anApi, keys, type TestApi } from './an-api.ts';

let api: TestApi;
let url: string;
beforeAll(async () => {
  api = await anApi();
  url = await api.app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => api.close());

const page = (tradeId: string, query = '') => api.call('GET', `/v1/trades/${tradeId}/records${query}`);
const typesOf = (records: readonly { type: string }[]) => records.map(({ type }) => type);

/** A trade whose entry was given up by a person: it has ended without a fill. */
async function endTrade(tradeId: string): Promise<void> {
  const { db } = api.database;
  const { clientOrderId } = await placeEntry(db, aRequest({ tradeId }));
  await parkOrder(db, { clientOrderId, nowMs });
  await requestExit(db, { tradeId, reason: 'operator', source: 'test', nowMs });
  await resolveOrder(db, { clientOrderId, verdict: 'dead', actor: 'anna', reason: 'looked', nowMs });
  await settleTrade(db, { tradeId, isSettled: () => true, nowMs });
}

describe('GET /v1/trades/:tradeId/records', () => {
  test('has the records after the one that is known, and says when no more come', async () => {
    await endTrade('over-1');
    const first = await page('over-1');
    const records = first.body['records'] as { no: number; type: string; data: object }[];
    // What the database stamps on a record is for verifying it, and is not what happened.
    expect(records.flatMap(({ data }) => Object.keys(data)).filter((name) => name.startsWith('_'))).toEqual([]);
    expect(typesOf(records).slice(0, 3)).toEqual(['TradeDecided', 'OrderIntent', 'AlertRaised']);
    expect(first.body).toMatchObject({ isOver: true });
    const rest = await page('over-1', `?after=${records[1]?.no}`);
    expect(rest.body['records']).toEqual(records.slice(2));
  });

  test('waits for the next record as long as it is asked to', async () => {
    const waiting = aRequest({ tradeId: 'waiting-1' });
    await decide(api.database.db, waiting);
    const [known] = (await page('waiting-1')).body['records'] as { no: number }[];
    const next = page('waiting-1', `?after=${known?.no}&waitMs=20000`);
    await requestExit(api.database.db, { tradeId: 'waiting-1', reason: 'operator', source: 'test', nowMs });
    expect(typesOf((await next).body['records'] as { type: string }[])).toEqual(['ExitRequested']);
    expect(await page('waiting-1', '?after=999999999&waitMs=1')).toMatchObject({
      body: { records: [], isOver: false },
    });
  });

  test('a denied trade has one record and is over', async () => {
    const denied = aRequest({ tradeId: 'denied-1' });
    await decide(api.database.db, denied, () => ({ decision: decisionOf(denied, 'denied'), reservations: [] }));
    expect(await page('denied-1')).toMatchObject({ body: { records: [{ type: 'TradeDecided' }], isOver: true } });
  });

  test.each(['?after=-1', '?after=x', '?waitMs=30001', '?what=1'])('refuses %s', async (query) => {
    expect(await page('over-1', query)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  });
});

/** Reads an event stream to its end. */
function streamOf(path: string, headers: Record<string, string> = {}): Promise<{ type?: string; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      new URL(path, url),
      { headers: { authorization: `Bearer ${keys.read}`, accept: 'text/event-stream', ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ type: response.headers['content-type'] ?? '', text }));
      },
    );
    asked.on('error', reject).end();
  });
}

describe('the same as an event stream', () => {
  test('brings every record and ends with the trade', async () => {
    await endTrade('stream-1');
    const { type, text } = await streamOf('/v1/trades/stream-1/records');
    expect(type).toBe('text/event-stream');
    expect(text).toMatch(/^id: \d+\nevent: TradeDecided\ndata: \{/);
    expect(text).toMatch(/event: end\ndata: \{\}\n\n$/);
  });

  test('goes on behind the last event that was seen', async () => {
    await endTrade('stream-2');
    const records = (await page('stream-2')).body['records'] as { no: number }[];
    const { text } = await streamOf('/v1/trades/stream-2/records', { 'last-event-id': String(records[0]?.no) });
    expect(text).not.toContain('TradeDecided');
    expect(text).toMatch(/^id: \d+\nevent: OrderIntent/);
  });

  test('refuses an unknown trade with an answer', async () => {
    const { type, text } = await streamOf('/v1/trades/nobody/records');
    expect(type).toContain('application/json');
    expect(JSON.parse(text)).toMatchObject({ code: 'TRADE_UNKNOWN' });
  });
});
