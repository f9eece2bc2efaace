import { join } from 'node:path';
import { loadPublicKey } from '../../src/audit/keys.ts';
import { auditSourceOf } from '../../src/audit/source.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { createDatabase } from '../../src/store/database.ts';

// `ratchet audit verify` as a process of its own, with what it took: the most memory it had, and its own CPU time.
const [url = '', folder = ''] = process.argv.slice(2);
const db = createDatabase({ url, applicationName: 'verify', poolMax: 4, onError: () => {} });
const startedAtMs = performance.now();
const before = process.cpuUsage();
const source = await auditSourceOf({ db, checkpointDir: folder });
const { exitCode, records } = await verifyAudit(source, loadPublicKey(join(folder, 'key.pem')));
const seconds = (performance.now() - startedAtMs) / 1_000;
const { user, system } = process.cpuUsage(before);
process.stdout.write(
  `${JSON.stringify({
    name: 'verify, from PostgreSQL',
    records,
    seconds: Number(seconds.toFixed(3)),
    perSecond: Math.round(records / seconds),
    perCpuSecond: Math.round((records * 1e6) / (user + system)),
    memoryMaxMb: Math.round(process.resourceUsage().maxRSS / 1_024),
  })}\n`,
);
await db.destroy();
process.exitCode = exitCode;
