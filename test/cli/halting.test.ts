import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeStackFile } from '../../src/config/stack-file.ts';
import { limitsFile } from '../../src/contracts/schemas/limits.ts';
import { createKey, sha256OfSecret } from '../../src/store/api-keys.ts';
import { ensureAccount } from '../../src/store/trading-state/accounts.ts';
import { setApprovalPolicy } from '../../src/store/trading-state/approvals.ts';
import { holdsInForce } from '../../src/store/trading-state/holds.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import { aHalting, type Halting } from '../support/halting.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const nowhere = 'postgresql://x:x@127.0.0.1:1/x';
let database: TestDatabase;
let world: Halting;
let data: string;
beforeAll(async () => {
  database = await aDatabase();
  world = await aHalting(database.db, { virtualClockAtMs: undefined as never });
  data = mkdtempSync(join(tmpdir(), 'ratchet-halting-'));
});
afterAll(async () => {
  await world.close();
  await database.close();
  rmSync(data, { recursive: true });
});
beforeEach(async () => {
  await database.asOwner('delete from hold');
});

/** As a person on this machine would, with nothing listening where Temporal should be, and no worker anywhere. */
function ratchet(
  args: readonly string[],
  changed: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string }> {
  const { keys, url, wsUrl } = world.simulator;
  const env = {
    PATH: process.env['PATH'],
    HOME: data,
    DATABASE_URL: database.appUrl,
    RATCHET_DATA: data,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    RATCHET_VENUE_REST_URL: url,
    RATCHET_VENUE_STREAM_URL: wsUrl,
    RATCHET_VENUE_WS_API_URL: `${wsUrl}/ws-api/v3`,
    VENUE_API_KEY: keys.apiKey,
    VENUE_API_SECRET: keys.apiSecret,
    RATCHET_RECV_WINDOW_MS: '500',
    ...changed,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

const entryOf = (tradeId: string) => clientOrderIdOf({ tradeId, leg: 0, purpose: 'entry', generation: 1 });

describe('F42: ratchet halt, with Temporal and every worker away', () => {
  test('cancels at the venue itself, books it, and says how far it is until nothing is left', async () => {
    for (const n of [1, 2]) await world.enter(`away-${n}`);
    const { code, out } = await ratchet(['halt', '--level', 'frozen', '--reason', 'fire', '--actor', 'anna', '--wait']);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/HALTED: everything, frozen/) });
    expect(out).toMatch(/Nobody has begun to cancel at paper: doing it from here/);
    expect(out).toMatch(/paper: clear, 2 canceled, 0 left/);
    expect(world.openAtVenue()).toEqual([]);
    const statuses = await database.db.selectFrom('orders').select('status').execute();
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set(['canceled']));
  });

  test('says what it could not cancel, all of it, and ends with 1', async () => {
    await world.enter('stuck-1');
    world.plan({ id: 'no', on: { method: 'DELETE' }, phase: 'before_accept', do: { action: 'status', code: 503 } });
    const isTold = async () =>
      (await database.asOwner("select 1 from alert where code = 'CANCEL_SWEEP_INCOMPLETE'")).length > 0;
    const lifted = until('people are told', isTold).then(() => database.asOwner('update hold set lifted_at_ms = 1'));
    const { code, out } = await ratchet(['halt', '--level', 'frozen', '--reason', 'fire']);
    await lifted;
    world.simulator.clearPlan();
    expect(out).toContain(`1 left: ${entryOf('stuck-1')}`);
    expect(code).toBe(1);
    await ratchet(['halt', '--level', 'frozen', '--reason', 'fire']);
    expect(world.openAtVenue()).toEqual([]);
  });
});

describe('ratchet halt on a scope that nothing can be in', () => {
  test.each([
    {
      name: 'of a symbol of another form',
      args: ['--symbol', 'BTCUSDT'],
      code: 2,
      says: /--symbol="BTCUSDT", allowed: .*BASE/,
    },
    {
      name: 'of an account of no form',
      args: ['--account', 'the main'],
      code: 2,
      says: /--account="the main", allowed: /,
    },
    {
      name: 'of an account that does not exist',
      args: ['--account', 'mian'],
      code: 1,
      says: /ACCOUNT_UNKNOWN.*account=mian/,
    },
  ])('$name is refused, and does not say HALTED', async ({ args, code, says }) => {
    const refused = await ratchet(['halt', '--reason', 'fire', ...args]);
    expect(refused).toEqual({ code, out: '', err: expect.stringMatching(says) });
    expect(await holdsInForce(database.db, Date.now())).toEqual([]);
  });

  test('is refused for its form also with the database away, and nothing waits on the disk', async () => {
    const args = ['halt', '--reason', 'fire', '--symbol', 'BTCUSDT'];
    expect(await ratchet(args, { DATABASE_URL: nowhere })).toMatchObject({ code: 2 });
    expect(existsSync(join(data, 'spool'))).toBe(false);
  });

  test('of a strategy that may be about to start is in force, and says so', async () => {
    const args = ['halt', '--reason', 'fire', '--strategy', 'not-yet'];
    const { code, out } = await ratchet(args);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('HALTED: strategy not-yet') });
    expect(out).toContain('Nothing has ever been in strategy not-yet: see that it is spelled as meant.');
    expect(JSON.parse((await ratchet([...args, '--json'])).out)).toMatchObject({ isScopeUnused: true });
    const used = await ratchet(['halt', '--reason', 'fire', '--strategy', 'ma-cross']);
    expect(used.out).not.toContain('Nothing has ever been in');
  });
});

describe('F43: ratchet halt, with the database away', () => {
  test('cancels at the venue, and keeps the halt on the disk for a worker', async () => {
    await world.enter('no-database');
    const args = ['halt', '--level', 'frozen', '--reason', 'fire', '--actor', 'anna'];
    const { code, out } = await ratchet(args, { DATABASE_URL: nowhere });
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/no entry can be sent/) });
    expect(out).toMatch(/look 1: 1 canceled, 0 left/);
    expect(out).toContain(`clear: 1 canceled: ${entryOf('no-database')}; nothing is left`);
    expect(world.openAtVenue()).toEqual([]);
    const [name = ''] = readdirSync(join(data, 'spool'));
    expect(JSON.parse(readFileSync(join(data, 'spool', name), 'utf8'))).toMatchObject({
      scope: { kind: 'all', id: '*' },
      level: 'frozen',
      actor: 'anna',
      reason: 'fire',
      sweep: { venue: 'paper', isClear: true, canceled: [entryOf('no-database')], left: [] },
    });
    rmSync(join(data, 'spool'), { recursive: true });
  });

  test('ends with 1 and names what is left, in words and as JSON', async () => {
    await world.enter('no-database-stuck');
    const later = { action: 'status', code: 429, headers: { 'retry-after': '600' }, body: { code: -1003 } } as const;
    world.plan({ id: 'no', on: { method: 'DELETE' }, phase: 'before_accept', do: later });
    const args = ['halt', '--level', 'frozen', '--reason', 'fire'];
    const left = [entryOf('no-database-stuck')];
    const said = await ratchet(args, { DATABASE_URL: nowhere });
    expect(said).toMatchObject({ code: 1, out: expect.stringContaining(`gave up: 0 canceled; 1 left: ${left[0]}`) });
    const { code, out } = await ratchet([...args, '--json'], { DATABASE_URL: nowhere });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      spooled: { level: 'frozen' },
      sweep: { canceled: [], left, looks: 1, isClear: false },
    });
    world.simulator.clearPlan();
  });

  test('flatten ends with 3 when the orders are gone: the exits wait for the database', async () => {
    const args = ['halt', '--level', 'flatten', '--reason', 'fire', '--json'];
    const { code, out } = await ratchet(args, { DATABASE_URL: nowhere });
    expect({ code, sweep: JSON.parse(out).sweep }).toMatchObject({ code: 3, sweep: { isClear: true } });
    rmSync(join(data, 'spool'), { recursive: true });
  });

  test('ends with 3 where nobody could begin, and still keeps it', async () => {
    const args = ['halt', '--level', 'frozen', '--reason', 'fire'];
    const away = { DATABASE_URL: nowhere, RATCHET_VENUE_REST_URL: undefined };
    const said = await ratchet(args, away);
    expect(said).toMatchObject({ code: 3, err: expect.stringContaining('HALT_VENUE_UNKNOWN') });
    const { code, out } = await ratchet([...args, '--json'], away);
    expect({ code, answer: JSON.parse(out) }).toMatchObject({
      code: 3,
      answer: { spooled: { level: 'frozen' }, sweep: null, error: { code: 'HALT_VENUE_UNKNOWN' } },
    });
    expect(readdirSync(join(data, 'spool'))).toHaveLength(2);
    rmSync(join(data, 'spool'), { recursive: true });
  });

  test('of the level entries-blocked only keeps it', async () => {
    const { code } = await ratchet(['halt', '--reason', 'fire'], { DATABASE_URL: nowhere });
    expect(code).toBe(3);
    expect(readdirSync(join(data, 'spool'))).toHaveLength(1);
    rmSync(join(data, 'spool'), { recursive: true });
  });

  test('of a strategy keeps it, and says that only the database knows its orders', async () => {
    const args = ['halt', '--level', 'frozen', '--strategy', 'ma-cross', '--reason', 'fire'];
    const { code, err } = await ratchet(args, { DATABASE_URL: nowhere });
    expect({ code, err }).toMatchObject({ code: 3, err: expect.stringContaining('HALT_SCOPE_NEEDS_DATABASE') });
    expect(readdirSync(join(data, 'spool'))).toHaveLength(1);
    rmSync(join(data, 'spool'), { recursive: true });
  });
});

describe('F45: ratchet resume and limits set, where two people are needed', () => {
  const keyFile = (name: string) => join(data, `${name}.key`);
  beforeAll(async () => {
    await setApprovalPolicy(database.db, { peopleNeeded: 2, nowMs: 1 });
    for (const name of ['anna', 'ben']) {
      writeFileSync(keyFile(name), `secret-of-${name}\n`);
      const key = { keyId: name, sha256: sha256OfSecret(`secret-of-${name}`), label: name, scopes: ['operate'] };
      await createKey(database.db, { ...key, actor: { type: 'system', id: 'test' }, nowMs: 1 });
    }
  });
  const as = (name: string) => ['--actor', name, '--key-file', keyFile(name), '--reason', 'looked at it'];

  test('one asks, the list shows it, another approves, and only then is it lifted', async () => {
    await ratchet(['halt', '--reason', 'news']);
    expect((await ratchet(['resume', '--reason', 'over'])).err).toMatch(/RESUME_NEEDS_APPROVAL/);
    expect(await ratchet(['resume', ...as('anna')])).toMatchObject({
      code: 4,
      out: expect.stringContaining('A second person has to approve: everything is still held'),
    });
    const list = JSON.parse((await ratchet(['approvals', 'list', '--json'])).out) as {
      approvals: { approvalId: string; requestHash: string }[];
    };
    const { approvalId = '', requestHash = '' } = list.approvals[0] ?? {};
    const approve = (name: string) => ratchet(['approvals', 'approve', approvalId, '--hash', requestHash, ...as(name)]);
    expect(await approve('anna')).toMatchObject({ code: 1, err: expect.stringContaining('APPROVAL_SAME_PERSON') });
    expect(await holdsInForce(database.db, Date.now())).toHaveLength(1);
    expect(await approve('ben')).toMatchObject({ code: 0, out: expect.stringContaining('APPROVED and carried out') });
    expect(await holdsInForce(database.db, Date.now())).toEqual([]);
    expect(await approve('ben')).toMatchObject({ code: 1, err: expect.stringContaining('APPROVAL_USED') });
  });

  test('a file that tightens is in force at once, one that loosens waits', async () => {
    const limits = (orderNotionalMax: string) => ({
      portfolioDeltaMax: '1',
      portfolioGammaMax: '10',
      symbolDeltaMax: '0.5',
      concentrationMax: '0.5',
      correlatedExposureMax: '0.8',
      totalExposureCap: 'none',
      orderNotionalMax,
      equityAgeMsMax: '60000',
      priceAgeMsMax: '5000',
    });
    const file = join(data, 'limits.json');
    expect(limitsFile.safeParse(limits('1')).success).toBe(true);
    writeFileSync(file, JSON.stringify(limits('100')));
    expect((await ratchet(['limits', 'set', file, '--reason', 'wiser'])).out).toMatch(/limits of main: changed/);
    writeFileSync(file, JSON.stringify(limits('200')));
    expect((await ratchet(['limits', 'set', file, '--reason', 'bolder'])).err).toMatch(/LIMITS_NEED_APPROVAL/);
    expect(await ratchet(['limits', 'set', file, ...as('anna')])).toMatchObject({
      code: 4,
      out: expect.stringContaining('has to approve orderNotionalMax'),
    });
  });

  test('where three are needed, the second approval waits too', async () => {
    await setApprovalPolicy(database.db, { peopleNeeded: 3, nowMs: 2 });
    await ratchet(['halt', '--reason', 'news']);
    const asked = JSON.parse((await ratchet(['resume', ...as('anna'), '--json'])).out) as {
      approval: { approvalId: string; requestHash: string };
    };
    const { approvalId, requestHash } = asked.approval;
    expect(await ratchet(['approvals', 'approve', approvalId, '--hash', requestHash, ...as('ben')])).toMatchObject({
      code: 4,
      out: expect.stringContaining('it waits for 1 more'),
    });
    await setApprovalPolicy(database.db, { peopleNeeded: 2, nowMs: 3 });
  });

  test('limits set is about the account of the stack, as every other command is', async () => {
    await setApprovalPolicy(database.db, { peopleNeeded: 1, nowMs: 4 });
    const account = 'desk-2';
    const opened = {
      account,
      venue: 'paper',
      currency: 'USDT',
      limits: {},
      actor: { type: 'system', id: 'test' },
    } as const;
    await ensureAccount(database.db, { ...opened, nowMs: 1 });
    const folder = mkdtempSync(join(tmpdir(), 'ratchet-desk-'));
    writeStackFile(folder, {
      version: 1,
      mode: 'paper',
      account,
      venue: 'paper',
      startedAtMs: 1,
      temporal: { address: '127.0.0.1:1', namespace: 'default' },
      database: { url: database.appUrl },
      api: { url: 'http://127.0.0.1:1', keyFile: keyFile('anna') },
      processes: {},
    });
    const args = ['limits', 'set', join(data, 'limits.json'), '--reason', 'wiser'];
    expect((await ratchet(args, { RATCHET_DATA: folder })).out).toMatch(/limits of desk-2: changed/);
    expect(JSON.parse((await ratchet(['status', '--json'], { RATCHET_DATA: folder })).out)).toMatchObject({ account });
    rmSync(folder, { recursive: true });
  });
});
