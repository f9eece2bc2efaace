import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadOrCreateSigningKey } from '../../src/audit/keys.ts';
import { createSealer } from '../../src/audit/sealer.ts';
import { writeStackFile } from '../../src/config/stack-file.ts';
import { findKeyBySha256, sha256OfSecret } from '../../src/store/api-keys.ts';
import { parkOrder } from '../../src/store/orders/orders.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { aRequest, decide, enter, nowMs, openAccount, placeEntry } from '../store/fixtures.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'ratchet-cli-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await aDatabase();
  await openAccount(database.db);
});
afterAll(async () => {
  await database.close();
  rmSync(data, { recursive: true });
});

type Result = { readonly code: number; readonly out: string; readonly err: string };

/** Runs the command line as a person would, on the test's database, with nothing listening where Temporal should be. */
function ratchet(...args: readonly string[]): Promise<Result> {
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: database.appUrl,
    RATCHET_DATA: data,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    // No configuration of Temporal of whoever runs the tests.
    HOME: data,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

const json = async (...args: readonly string[]) => {
  const { code, out } = await ratchet(...args, '--json');
  return { code, body: JSON.parse(out) as Record<string, unknown> };
};

/** Runs as a person would whose data folder alone names the database. */
async function withoutDatabaseUrl<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  const before = database;
  database = { ...database, appUrl: '' };
  try {
    return await work();
  } finally {
    database = before;
  }
}

/** A data folder whose file names the test's database and an API that answers like this. */
async function aStackWhoseApi(answer: RequestListener): Promise<string> {
  const server = createServer(answer).unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = join(data, `stack-${(server.address() as AddressInfo).port}`);
  mkdirSync(folder);
  const keyFile = join(folder, 'api-key');
  writeFileSync(keyFile, 'the-key\n');
  writeStackFile(folder, {
    version: 1,
    mode: 'paper',
    account: 'main',
    venue: 'paper',
    startedAtMs: nowMs,
    temporal: { address: '127.0.0.1:1', namespace: 'default' },
    database: { url: database.appUrl },
    api: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keyFile },
    processes: {},
  });
  return folder;
}

describe('wrong usage ends with 2 and says what is wrong', () => {
  test.each([
    { name: 'an unknown command', args: ['hlat'], says: /unknown command 'hlat'/ },
    { name: 'a halt without a reason', args: ['halt'], says: /--reason/ },
    {
      name: 'a level that does not exist',
      args: ['halt', '--reason', 'x', '--level', 'hard'],
      says: /entries-blocked/,
    },
    {
      name: 'two scopes',
      args: ['halt', '--reason', 'x', '--account', 'a', '--symbol', 'B/C'],
      says: /cannot be used/,
    },
    { name: 'an unknown phase', args: ['trades', '--phase', 'gone'], says: /denied, placing/ },
    { name: 'a key without a scope', args: ['keys', 'create', '--name', 'x'], says: /--scope/ },
    { name: 'a scope that does not exist', args: ['keys', 'create', '--name', 'x', '--scope', 'all'], says: /operate/ },
    { name: 'a name with a space', args: ['keys', 'create', '--name', 'a b', '--scope', 'read'], says: /64 letters/ },
    { name: 'a request that is no JSON', args: ['enter', main], says: /REQUEST_INVALID/ },
  ])('$name', async ({ args, says }) => {
    const { code, err } = await ratchet(...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(says) });
  });

  test('a database that is not named', async () => {
    const { code, err } = await withoutDatabaseUrl(() => ratchet('trades'));
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('STACK_NOT_FOUND') });
  });
});

test('a database that does not answer ends with 3', async () => {
  const before = database;
  database = { ...database, appUrl: 'postgresql://x:x@127.0.0.1:1/x' };
  const { code, err } = await ratchet('trades');
  database = before;
  expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('DATABASE_UNAVAILABLE') });
});

test('a stack that was ended is told from a database that is away', async () => {
  const { pid } = spawnSync(process.execPath, ['--eval', '']);
  const folder = join(data, 'ended');
  mkdirSync(folder);
  writeStackFile(folder, {
    version: 1,
    mode: 'paper',
    account: 'main',
    venue: 'paper',
    startedAtMs: nowMs,
    supervisorPid: pid,
    temporal: { address: '127.0.0.1:1', namespace: 'default' },
    database: { url: 'postgresql://x:x@127.0.0.1:1/x' },
    api: { url: 'http://127.0.0.1:1', keyFile: join(folder, 'api-key') },
    processes: {},
  });
  const { code, err } = await withoutDatabaseUrl(() => ratchet('trades', '--data', folder));
  expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('STACK_NOT_RUNNING') });
});

describe('halt and resume, with Temporal down', () => {
  test('a halt names the hold and the entries that still work; a resume lifts it', async () => {
    await placeEntry(database.db, aRequest({ tradeId: 'working-1' }));
    const halted = await ratchet('halt', '--strategy', 'ma-cross', '--reason', 'news', '--actor', 'anna');
    expect(halted.code).toBe(0);
    expect(halted.out).toMatch(/HALTED: strategy ma-cross, entries-blocked, until it is resumed/);
    expect(halted.out).toMatch(/by anna: news/);
    expect(halted.out).toMatch(/working-1-e1 {2}BUY 1 BTC\/USDT {2}pendingNew {2}trade working-1/);
    const resumed = await json('resume', '--strategy', 'ma-cross', '--reason', 'over');
    expect(resumed).toMatchObject({
      code: 0,
      body: { hold: { scope: { kind: 'strategy', id: 'ma-cross' } }, remaining: [] },
    });
  });

  test.each(['frozen', 'flatten'])('the level %s is in force, also where nobody can reach the venue', async (level) => {
    const { code, body } = await json('halt', '--reason', 'news', '--level', level);
    expect({ code, body }).toMatchObject({ code: 3, body: { hold: { level }, sweeps: [{ looks: 0, outcome: null }] } });
    expect(await holdsInForce(database.db, Date.now())).toMatchObject([{ level }]);
    await ratchet('resume', '--reason', 'over');
  });

  test('there is nothing to lift', async () => {
    const { code, body } = await json('resume', '--reason', 'over');
    expect({ code, body }).toMatchObject({ code: 1, body: { error: { code: 'HOLD_NOT_IN_FORCE' } } });
  });
});

describe('trades', () => {
  test('lists them, shows one, and closes it', async () => {
    await enter(database.db, aRequest({ tradeId: 'open-1' }));
    expect((await ratchet('trades', '--live')).out).toMatch(/open-1 .*open .*BUY .*BTC\/USDT/);
    const page = await ratchet('trade', 'open-1');
    expect(page.out).toMatch(/^open-1: OPEN\nBUY 1 BTC\/USDT at 100 GTC/);
    expect(page.out).toMatch(/entry open-1-e1: BUY 1 LIMIT 100 GTC, filled, filled 1/);
    expect(page.out).toMatch(/TradeDecided/);
    expect(await json('close', 'open-1', '--reason', 'news')).toEqual({
      code: 0,
      body: { tradeId: 'open-1', outcome: 'requested' },
    });
    const { body } = await json('trade', 'open-1');
    expect(body).toMatchObject({ phase: 'closing', exitRequest: { reason: 'operator', source: 'cli' } });
  });

  test('says what an open one would make, with the price that the API has', async () => {
    await enter(database.db, aRequest({ tradeId: 'worth-1' }));
    const unrealizedPnl = { amount: '999', price: '106.5', ageMs: 40 };
    const folder = await aStackWhoseApi((request, response) => {
      const isKnown = request.headers.authorization === 'Bearer the-key' && request.url === '/v1/trades/worth-1';
      response.statusCode = isKnown ? 200 : 404;
      response.end(JSON.stringify({ positions: [{ symbol: 'BTC/USDT', unrealizedPnl }] }));
    });
    const { out } = await withoutDatabaseUrl(() => ratchet('trade', 'worth-1', '--data', folder));
    expect(out).toMatch(
      /bought 1 for 100, sold 0 so far\n {4}unrealized P&L: 6.5 USDT at 106.5 \(40 ms old\), fees in USDT/,
    );
  });

  test.each([
    { name: 'does not answer', answer: () => {} },
    { name: 'answers with something else', answer: (_request, response) => response.end('{"status":"new"}') },
  ] satisfies { name: string; answer: RequestListener }[])(
    'shows one whose API $name, and says what is missing',
    async ({ answer }) => {
      const tradeId = `alone-${answer.length}`;
      await enter(database.db, aRequest({ tradeId }));
      const folder = await aStackWhoseApi(answer);
      const page = await withoutDatabaseUrl(() => ratchet('trade', tradeId, '--data', folder));
      expect(page).toMatchObject({ code: 0, out: expect.stringMatching(/unrealized P&L: not known/) });
    },
  );

  test('a trade that nobody decided is refused', async () => {
    expect(await json('trade', 'nobody')).toMatchObject({ code: 1, body: { error: { code: 'TRADE_UNKNOWN' } } });
  });
});

describe('keys', () => {
  const keyOf = (secret: unknown) => findKeyBySha256(database.db, sha256OfSecret(String(secret)));

  test('one is made, used, listed without its secret, and refused from its revocation on', async () => {
    const scopes = ['--scope', 'read', 'trade', '--scope', 'read'];
    const { code, body } = await json('keys', 'create', '--name', 'bot-eu', ...scopes, '--actor', 'anna');
    const { secret } = body;
    expect({ code, body }).toEqual({ code: 0, body: { keyId: 'bot-eu', scopes: ['read', 'trade'], secret } });
    expect(await keyOf(secret)).toMatchObject({ label: 'bot-eu', scopes: ['read', 'trade'] });

    const listed = await ratchet('keys', 'list');
    expect(listed.out).toMatch(/bot-eu .*read, trade/);
    expect(listed.out).not.toContain(sha256OfSecret(String(secret)));

    expect(await json('keys', 'revoke', 'bot-eu', '--actor', 'anna')).toMatchObject({ code: 0 });
    expect(await keyOf(secret)).toBeUndefined();
    expect(await json('keys', 'revoke', 'bot-eu')).toMatchObject({
      code: 1,
      body: { error: { code: 'API_KEY_UNKNOWN' } },
    });
    const records = await database.asOwner("select body from audit_event where event_type like 'ApiKey%'");
    expect(records.map(({ body: text }) => JSON.parse(String(text)))).toMatchObject([
      { type: 'ApiKeyCreated', keyId: 'bot-eu', actor: { type: 'user', id: 'anna' } },
      { type: 'ApiKeyRevoked', keyId: 'bot-eu', actor: { type: 'user', id: 'anna' } },
    ]);
    expect(JSON.stringify(records)).not.toContain(secret);
  });

  test('a name is used once, and the secret stands on a line of its own', async () => {
    const made = await ratchet('keys', 'create', '--name', 'desk', '--scope', 'operate');
    const [, secret] = made.out.trim().split('\n');
    expect(await keyOf(secret)).toMatchObject({ keyId: 'desk', scopes: ['operate'] });
    const again = await json('keys', 'create', '--name', 'desk', '--scope', 'read');
    expect(again).toMatchObject({ code: 1, body: { error: { code: 'API_KEY_NAME_TAKEN' } } });
  });
});

test('a parked order is settled by a person', async () => {
  const { clientOrderId } = await placeEntry(database.db, aRequest({ tradeId: 'parked-1' }));
  await parkOrder(database.db, { clientOrderId, nowMs });
  const resolved = await json('resolve', clientOrderId, '--verdict', 'dead', '--reason', 'looked at the venue');
  expect(resolved).toMatchObject({ code: 0, body: { clientOrderId, status: 'canceled' } });
});

test('status says PAPER and what is wrong: here, that Temporal is down', async () => {
  const { code, out } = await ratchet('status');
  expect(code).toBe(1);
  expect(out).toMatch(/^PAPER MODE: no real money/);
  expect(out).toMatch(/NOT OK {2}temporal/);
  expect(out).toMatch(/ok {6}database/);
  // The fixture's account sets one limit of all.
  expect(out).toMatch(/^used: exposure \d+ USDT, delta \d+, \d+ trades$/m);
  expect(out).toMatch(/^room for one more order: exposure not known, delta not known$/m);
  expect(out).toMatch(/limits can not be measured: portfolioDeltaMax is not set/);
});

describe('audit verify', () => {
  const keyFile = join(data, 'secrets', 'checkpoint-key.pem');
  const checkpointDir = join(data, 'checkpoints');

  test('finds a record that somebody has edited', async () => {
    await decide(database.db, aRequest({ tradeId: 'sealed-1' }));
    await seal();
    expect(await json('audit', 'verify')).toMatchObject({ code: 0, body: { outcome: 'ok', unsealed: 0 } });
    await database.asOwner('alter table audit_event disable trigger all');
    await database.asOwner(
      "update audit_event set body = replace(body, 'approved', 'denied') where trade_id = 'sealed-1' and event_type = 'TradeDecided'",
    );
    const { code, out } = await ratchet('audit', 'verify');
    expect({ code, out }).toEqual({
      code: 1,
      out: expect.stringMatching(/^TAMPERED: .*\nTrust nothing from record \d+ on/),
    });
  });

  async function seal(): Promise<void> {
    const sealer = createSealer({
      db: database.db,
      checkpointKey: loadOrCreateSigningKey(keyFile, 'ratchet/audit'),
      checkpointDir,
      logger: { error: () => {} } as never,
      metrics: { recordsSealed: { inc() {} }, sealLag: { set() {} }, checkpointAge: { set() {} } },
      onFatal: () => {},
    });
    sealer.start();
    await sealer.sealNow();
    await sealer.stop();
  }
});
