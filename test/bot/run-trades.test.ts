import { describe, expect, test } from 'vitest';
import type { BotEvent } from '../../src/bot/narrate.ts';
import { type BotRun, runTrades } from '../../src/bot/run-trades.ts';
import { decimal, type RatchetClient, RatchetClientError } from '../../src/client/index.ts';

const d = decimal;
const market = {
  symbol: 'BTC/USDT',
  last: d('100'),
  tickSize: d('0.01'),
  stepSize: d('0.001'),
  quantityMin: null,
  notionalMin: null,
  pricesEnded: false,
  remaining: { exposure: null, delta: null, symbolDelta: null },
};

const unavailable = (code: string) => new RatchetClientError({ code, message: 'no', remedy: 'wait' });

/** The first `n` calls get `first`, the later ones `then`. */
function firstly<Answer>(n: number, first: Answer, then: Answer): () => Answer {
  let calls = 0;
  return () => {
    calls += 1;
    return calls <= n ? first : then;
  };
}

const followed = (until: () => unknown): RatchetClient['follow'] =>
  async function* () {
    await until();
    yield* [];
  };

/** A stack that closes every trade as soon as it is followed, and remembers what it was asked. */
function aStack(changed: Partial<RatchetClient> = {}, live: readonly string[] = []) {
  const asked: string[] = [];
  const client = {
    market: async () => market,
    state: async () => ({ equity: { amount: d('1000'), atMs: 1, fault: null } }),
    trades: async () => live.map((tradeId) => ({ tradeId })),
    enter: async (request: { tradeId: string }) => {
      asked.push(`enter ${request.tradeId}`);
      return { tradeId: request.tradeId, outcome: 'approved', reasons: [], evaluations: [], decidedAtMs: 1 };
    },
    follow: followed(() => undefined),
    trade: async (tradeId: string) => ({ tradeId, phase: 'closed', result: [aResult] }),
    close: async (tradeId: string) => {
      asked.push(`close ${tradeId}`);
      return { outcome: 'requested' };
    },
    disconnect: async () => {},
    ...changed,
  };
  return { client: client as unknown as RatchetClient, asked };
}

const aResult = {
  entryQuantity: d('0.5'),
  entryQuote: d('50'),
  exitQuantity: d('0.5'),
  exitQuote: d('51'),
  exitReason: 'timeStop',
  pnl: d('0.9'),
  pnlAsset: 'USDT',
};

async function run(client: RatchetClient, changed: Partial<BotRun> = {}) {
  const said: BotEvent[] = [];
  const end = await runTrades({
    client,
    symbol: 'BTC/USDT',
    account: 'main',
    venue: 'paper',
    timeStopMs: 1_000,
    trades: 2,
    say: (event) => said.push(event),
    signal: new AbortController().signal,
    pace: { lookEveryMs: 0, retryMs: 0 },
    ...changed,
  });
  return { end, said: said.map(({ event }) => event) };
}

describe('the example bot', () => {
  test('ends after so many closed trades', async () => {
    const { client, asked } = aStack();
    const { end } = await run(client);
    expect(end).toMatchObject({
      end: 'done',
      closed: [{ legs: [{ pnl: '0.9', entered: '100', left: '102', why: 'timeStop' }] }, {}],
    });
    expect(asked).toEqual([expect.stringMatching(/^enter bot-btc-usdt-\d{14}-1$/), expect.stringMatching(/-2$/)]);
  });

  test('goes on with the trades that were open, and counts them', async () => {
    const { client, asked } = aStack({}, ['bot-old-1']);
    const { end, said } = await run(client);
    expect(end.closed.map(({ tradeId }) => tradeId)[0]).toBe('bot-old-1');
    expect(said[0]).toBe('resumed');
    expect(asked).toHaveLength(1);
  });

  test('does not count what was never filled', async () => {
    const phase = firstly(1, 'unfilled', 'closed');
    const { client, asked } = aStack({
      trade: (async (tradeId: string) => ({ tradeId, phase: phase(), result: [aResult] })) as never,
    });
    const { end } = await run(client, { trades: 1 });
    expect(end.closed).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  test('stops entering when the prices have ended', async () => {
    const { client, asked } = aStack({ market: async () => ({ ...market, pricesEnded: true }) });
    expect((await run(client)).end).toEqual({ end: 'prices-ended', closed: [] });
    expect(asked).toEqual([]);
  });

  test('closes what is open when the prices end under it', async () => {
    let isOver = () => {};
    const over = new Promise<void>((resolve) => {
      isOver = resolve;
    });
    const pricesEnded = firstly(8, false, true);
    const { client, asked } = aStack({
      market: async () => ({ ...market, pricesEnded: pricesEnded() }),
      follow: followed(() => over),
      close: (async (tradeId: string, { reason }: { reason: string }) => {
        asked.push(`close ${tradeId}: ${reason}`);
        isOver();
        return { outcome: 'requested' };
      }) as never,
    });
    const { end } = await run(client);
    expect(end).toMatchObject({ end: 'prices-ended', closed: [{ legs: [{ pnl: '0.9' }] }] });
    expect(asked).toEqual([expect.stringMatching(/^enter/), expect.stringMatching(/^close .*: prices ended$/)]);
  });

  test('says why an entry was denied, and takes the next trade', async () => {
    const outcome = firstly(1, 'denied', 'approved');
    const reasons = [{ code: 'TRADING_STATE_BLOCKED', message: 'Held.', remedy: 'Resume.', context: {} }];
    const { client } = aStack({
      enter: (async ({ tradeId }: { tradeId: string }) => ({ tradeId, outcome: outcome(), reasons })) as never,
    });
    const { end, said } = await run(client, { trades: 1 });
    expect(said).toContain('denied');
    expect(end.closed).toHaveLength(1);
  });

  test('tries the very same request again when nobody decided it', async () => {
    const tries: string[] = [];
    const { client } = aStack({
      enter: (async ({ tradeId }: { tradeId: string }) => {
        tries.push(tradeId);
        if (tries.length < 3) throw unavailable('UNDECIDED');
        return { tradeId, outcome: 'approved', reasons: [] };
      }) as never,
    });
    expect((await run(client, { trades: 1 })).end.closed).toHaveLength(1);
    expect(new Set(tries).size).toBe(1);
  });

  test('takes a new trade id when the entry has ended undecided', async () => {
    const tries: string[] = [];
    const { client } = aStack({
      enter: (async ({ tradeId }: { tradeId: string }) => {
        tries.push(tradeId);
        if (tries.length === 1) throw unavailable('ENTRY_ENDED_UNDECIDED');
        return { tradeId, outcome: 'approved', reasons: [] };
      }) as never,
    });
    const { end, said } = await run(client, { trades: 1 });
    expect(end.closed).toHaveLength(1);
    expect(said).toContain('undecided');
    expect(new Set(tries).size).toBe(2);
  });

  test('gives up on what can not pass by itself', async () => {
    const { client } = aStack({ market: async () => Promise.reject(unavailable('API_KEY_MISSING')) });
    await expect(run(client)).rejects.toThrow('API_KEY_MISSING');
  });

  test('leaves open trades alone when it is stopped', async () => {
    const stopping = new AbortController();
    const { client, asked } = aStack({
      follow: followed(() => stopping.abort()),
    });
    expect((await run(client, { signal: stopping.signal })).end).toEqual({ end: 'stopped', closed: [] });
    expect(asked).toHaveLength(1);
  });
});
