import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateSigningKey, publicKeyOf } from '../../src/audit/keys.ts';
import { createSealer } from '../../src/audit/sealer.ts';
import { auditSourceOf } from '../../src/audit/source.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { anAppender } from '../audit/appending.ts';
import { aSource, chained, stamped } from '../audit/fixtures.ts';
import { anOwnPostgres } from '../audit/own-postgres.ts';

// How fast records are confirmed (from four processes at once), sealed and signed, and verified: in memory, which is the
// chain alone, and through a PostgreSQL of this run's own. `node --import tsx test/bench/audit.ts [records]`
const records = Number(process.argv[2] ?? '200000');
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
async function confirmations(url: string, batch: number): Promise<number> {
  const [processes, producers] = [4, 32];
  const calls = Math.ceil(records / 4 / processes / producers / batch);
  const appenders = await Promise.all(
    Array.from({ length: processes }, (_, n) => anAppender({ url, prefix: `b${batch}-${n}`, producers, calls, batch })),
  );
  const startedAtMs = performance.now();
  for (const { start } of appenders) start();
  const results = await Promise.all(appenders.map(({ result }) => result));
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const count = results.reduce((sum, result) => sum + result.records, 0);
  say({
    name: `confirm, 4 processes × 32 producers, ${batch} a commit`,
    records: count,
    perSecond: Math.round(count / seconds),
  });
  return count;
}

async function inPostgres(): Promise<void> {
  const postgres = await anOwnPostgres();
  const db = postgres.pool();
  const folder = mkdtempSync(join(tmpdir(), 'ratchet-bench-'));
  const checkpointKey = loadOrCreateSigningKey(join(folder, 'key.pem'), 'ratchet/audit');
  const nothing = { inc: () => {}, set: () => {} };
  const sealer = createSealer({
    db,
    checkpointKey,
    checkpointDir: folder,
    logger: createLogger({ name: 'bench', level: 'error' }),
    metrics: { recordsSealed: nothing, sealLag: nothing, checkpointAge: nothing },
    onFatal: (error) => {
      throw error;
    },
  });
  try {
    let count = 0;
    for (const batch of [1, 10, 50]) count += await confirmations(postgres.appUrl, batch);
    await timed('seal and sign', count, () => sealer.stop());
    const source = await auditSourceOf({ db, checkpointDir: folder });
    const verify = () => verifyAudit(source, publicKeyOf(checkpointKey));
    confirm((await timed('verify, from PostgreSQL', count, verify)).exitCode);
  } finally {
    await postgres.close();
  }
}

await inMemory();
await inPostgres();
