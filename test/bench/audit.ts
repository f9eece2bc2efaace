import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateSigningKey, publicKeyOf } from '../../src/audit/keys.ts';
import { createSealer } from '../../src/audit/sealer.ts';
import { auditSourceOf } from '../../src/audit/source.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { createDatabase } from '../../src/store/database.ts';
import { grantApplicationRole, migrate } from '../../src/store/migrate.ts';
import { aSource, chained } from '../audit/fixtures.ts';

// How fast the record is sealed and verified: in memory (the chain alone) and, given the address of an empty
// database as its owner, through PostgreSQL. `node --import tsx test/bench/audit.ts [postgresql://…] [records]`
const [url, count = '200000'] = process.argv.slice(2);
const records = Number(count);

const bodyOf = (n: number): string =>
  JSON.stringify({
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
  });

async function timed<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  // Beside the clock what this process itself used: on a busy machine the two are far apart.
  const { user, system } = process.cpuUsage(cpu);
  const rates = {
    perSecond: Math.round(records / seconds),
    perCpuSecond: Math.round((records * 1e6) / (user + system)),
  };
  process.stdout.write(`${JSON.stringify({ name, records, seconds: Number(seconds.toFixed(3)), ...rates })}\n`);
  return result;
}

function confirm(exitCode: number): void {
  if (exitCode !== 0) throw new Error(`the log is not what it must be: exit code ${exitCode}`);
}

async function inMemory(): Promise<void> {
  const key = { name: 'ratchet/audit', key: generateKeyPairSync('ed25519').privateKey };
  const source = aSource(chained(Array.from({ length: records }, (_, n) => bodyOf(n))), key);
  confirm((await timed('verify, in memory', () => verifyAudit(source, publicKeyOf(key)))).exitCode);
}

async function inPostgres(ownerUrl: string): Promise<void> {
  await migrate({ ownerUrl });
  await grantApplicationRole({ ownerUrl, role: 'ratchet_app', password: 'bench' });
  const db = createDatabase({ url: ownerUrl, applicationName: 'bench', poolMax: 4, onError: () => {} });
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
  await timed('insert, batches of 1,000', async () => {
    for (let n = 0; n < records; n += 1_000) {
      const bodies = Array.from({ length: 1_000 }, (_, i) => bodyOf(n + i));
      await db
        .insertInto('audit_event')
        .values(
          bodies.map((body, i) => ({
            event_id: `00000000-0000-8000-8000-${String(n + i).padStart(12, '0')}`,
            event_type: 'StopMoved',
            trade_id: `ma-btc-20261121-${n + i}`,
            body,
          })),
        )
        .execute();
    }
  });
  await timed('seal and sign', () => sealer.stop());
  const source = await auditSourceOf({ db, checkpointDir: folder });
  confirm((await timed('verify, from PostgreSQL', () => verifyAudit(source, publicKeyOf(checkpointKey)))).exitCode);
  await db.destroy();
}

await inMemory();
if (url !== undefined) await inPostgres(url);
