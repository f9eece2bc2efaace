import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadOrCreateSigningKey, publicKeyOf } from '../../src/audit/keys.ts';
import { createSealer } from '../../src/audit/sealer.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { anAppender } from '../audit/appending.ts';
import { aSource, chained, stamped } from '../audit/fixtures.ts';
import { anOwnPostgres, type OwnPostgres } from '../audit/own-postgres.ts';
import { cpuMsOf } from './cpu.ts';

// How fast records are confirmed (from four processes at once), sealed and signed, and verified: in memory, which is the
// chain alone, and through a PostgreSQL of this run's own, which is filled up to so many records before it is verified.
// `node --import tsx test/bench/audit.ts [records [records to verify]]`
const records = Number(process.argv[2] ?? '200000');
const verified = Number(process.argv[3] ?? records);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const recordOf = (n: number): string =>
  stamped(
    {
      actor: { id: `entry-ma-btc-20261121-${n}`, type: 'workflow' },
      at: '2026-11-21T14:00:00.123000Z',
      clientOrderId: `r1-ma-btc-20261121-${n}-e1`,
      fee: '0.00001250',
      feeAsset: 'BTC',
      filler: 'x'.repeat(180),
      isMaker: false,
      price: '46210.50',
      quantity: '0.0125',
      quoteQuantity: '577.63125',
      strategy: 'ma-cross',
      symbol: 'BTC/USDT',
      tradeId: `ma-btc-20261121-${n}`,
      type: 'StopMoved',
      v: 1,
      venueTradeId: String(n),
    },
    n + 1,
  );

async function timed<Result>(name: string, count: number, work: () => Promise<Result>): Promise<Result> {
  const startedAtMs = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  const seconds = (performance.now() - startedAtMs) / 1_000;
  // Beside the clock what this process itself used: on a busy machine the two are far apart.
  const { user, system } = process.cpuUsage(cpu);
  const rates = { perSecond: Math.round(count / seconds), perCpuSecond: Math.round((count * 1e6) / (user + system)) };
  say({ name, records: count, seconds: Number(seconds.toFixed(3)), ...rates });
  return result;
}

function confirm(exitCode: number): void {
  if (exitCode !== 0) throw new Error(`the log is not what it must be: exit code ${exitCode}`);
}

async function inMemory(): Promise<void> {
  const key = { name: 'ratchet/audit', key: generateKeyPairSync('ed25519').privateKey };
  const source = aSource(chained(Array.from({ length: records }, (_, n) => recordOf(n))), key);
  confirm((await timed('verify, in memory', records, () => verifyAudit(source, publicKeyOf(key)))).exitCode);
}

/** So many records a transaction; a confirmed commit is one confirmed batch. */
async function confirmations(postgres: OwnPostgres, batch: number): Promise<number> {
  const [processes, producers] = [4, 32];
  const calls = Math.ceil(records / batches.length / processes / producers / batch);
  const url = postgres.appUrl;
  const appenders = await Promise.all(
    Array.from({ length: processes }, (_, n) => anAppender({ url, prefix: `b${batch}-${n}`, producers, calls, batch })),
  );
  const startedAtMs = performance.now();
  const usedBefore = usedBy(postgres);
  for (const { start } of appenders) start();
  const results = await Promise.all(appenders.map(({ result }) => result));
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const used = usedBy(postgres);
  const count = results.reduce((sum, result) => sum + result.records, 0);
  const usEach = (ms: number): number => Number(((1_000 * ms) / count).toFixed(1));
  say({
    name: `confirm, 4 processes × 32 producers, ${batch} a commit`,
    records: count,
    perSecond: Math.round(count / seconds),
    cpuUsEach: {
      postgres: usEach(used.postgresMs - usedBefore.postgresMs),
      processes: usEach(used.othersMs - usedBefore.othersMs),
    },
  });
  return count;
}

const batches = [1, 3, 10, 50, 250];

/** The server is a child of this process like those that record. */
function usedBy({ dataFolder }: OwnPostgres): { readonly postgresMs: number; readonly othersMs: number } {
  const pid = Number(readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const postgresMs = cpuMsOf(pid);
  return { postgresMs, othersMs: cpuMsOf(process.pid) - postgresMs };
}

const storyOfATrade = [
  'TradeDecided',
  'OrderIntent',
  'OrderAcked',
  'Fill',
  'PositionOpened',
  'StopMoved',
  'PositionClosed',
];

/** Whole trades as `recordAll` writes them, but made by the server: what is verified may be far more than what is recorded. */
async function fillUpTo(postgres: OwnPostgres, from: number): Promise<void> {
  const atOnce = 10_000;
  for (let n = from; n < verified; n += atOnce) {
    await postgres.asOwner(`
      select record_events(array_agg(gen_random_uuid() order by n), array_agg(type order by n), array_agg(trade order by n),
        array_agg('{"actor":{"id":"entry-' || trade || '","type":"workflow"},"at":"2026-11-21T14:00:00.123000Z",'
          || '"clientOrderId":"rte-' || trade || '-1","filler":"${'x'.repeat(300)}","n":' || n || ',"tradeId":"' || trade
          || '","type":"' || type || '","v":1}' order by n))
      from (select n, 'filled-' || n / ${storyOfATrade.length} as trade,
          ('{${storyOfATrade.join()}}'::text[])[n % ${storyOfATrade.length} + 1] as type
        from generate_series(${n}, ${Math.min(n + atOnce, verified) - 1}) as n) as story`);
  }
}

/** In a process of its own, because what is told of its memory is the most it ever had. */
async function verifyInProcess(postgres: OwnPostgres, folder: string): Promise<void> {
  const script = fileURLToPath(new URL('verifying.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, postgres.appUrl, folder], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  confirm(code);
}

async function inPostgres(): Promise<void> {
  const postgres = await anOwnPostgres();
  const db = postgres.pool();
  const folder = mkdtempSync(join(tmpdir(), 'ratchet-bench-'));
  const nothing = { inc: () => {}, set: () => {} };
  const sealer = createSealer({
    db,
    checkpointKey: loadOrCreateSigningKey(join(folder, 'key.pem'), 'ratchet/audit'),
    checkpointDir: folder,
    logger: createLogger({ name: 'bench', level: 'error' }),
    metrics: { recordsSealed: nothing, sealLag: nothing, checkpointAge: nothing },
    onFatal: (error) => {
      throw error;
    },
  });
  try {
    let count = 0;
    for (const batch of batches) count += await confirmations(postgres, batch);
    await fillUpTo(postgres, Math.ceil(count / storyOfATrade.length) * storyOfATrade.length);
    const usedBeforeMs = usedBy(postgres).postgresMs;
    const total = Math.max(count, verified);
    await timed('seal and sign', total, () => sealer.stop());
    say({ name: 'seal and sign', postgresCpuUsEach: ((usedBy(postgres).postgresMs - usedBeforeMs) * 1_000) / total });
    await verifyInProcess(postgres, folder);
  } finally {
    await postgres.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await inMemory();
await inPostgres();
