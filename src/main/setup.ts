import { Connection } from '@temporalio/client';
import { loadOrCreateSigningKey } from '../audit/keys.ts';
import { loadConfig, peopleNeededBy, secretValues } from '../config/config.ts';
import { readLimitsFile } from '../config/limits-file.ts';
import { loadTemporalConnection } from '../config/temporal-connection.ts';
import { searchAttributes } from '../contracts/messages/names.ts';
import { paperLimits } from '../domain/limits/limits.ts';
import { createLogger } from '../observability/logger.ts';
import { createDatabase } from '../store/database.ts';
import { checkDurability } from '../store/durability.ts';
import { grantApplicationRole, migrate } from '../store/migrate.ts';
import { ensureAccount } from '../store/trading-state/accounts.ts';
import { setApprovalPolicy } from '../store/trading-state/approvals.ts';
import { ensureFirstApiKey } from './first-api-key.ts';
import { announceReady, endWithReason } from './process-life.ts';

const retentionDays = 30;

// Runs once before the others, and again at every start: each step finds what it would do done.
endWithReason();
const config = loadConfig(process.env, ['DATABASE_URL']);
const temporal = loadTemporalConnection(process.env);
const logger = createLogger({
  name: 'setup',
  level: config.LOG_LEVEL,
  secrets: [...secretValues(config), ...temporal.secrets],
});
const url = config.DATABASE_URL.reveal();
const ownerUrl = config.DATABASE_OWNER_URL?.reveal() ?? url;

const applied = await migrate({ ownerUrl });
logger.info({ applied }, 'schema is up to date');
const { username, password } = new URL(url);
if (ownerUrl !== url) await grantApplicationRole({ ownerUrl, role: username, password: decodeURIComponent(password) });

const db = createDatabase({
  url,
  applicationName: 'ratchet-setup',
  poolMax: 2,
  onError: (error) => logger.warn({ error }, 'database connection lost'),
});
await checkDurability(db);
loadOrCreateSigningKey(config.RATCHET_CHECKPOINT_KEY_FILE, config.RATCHET_CHECKPOINT_ORIGIN);
await setApprovalPolicy(db, { peopleNeeded: peopleNeededBy(config), nowMs: Date.now() });
const account = await ensureAccount(db, {
  account: config.RATCHET_ACCOUNT,
  venue: config.RATCHET_VENUE,
  currency: config.RATCHET_CURRENCY,
  limits: config.RATCHET_LIMITS_FILE === undefined ? paperLimits : readLimitsFile(config.RATCHET_LIMITS_FILE),
  actor: { type: 'system', id: 'setup' },
  nowMs: Date.now(),
});
logger.info({ account: config.RATCHET_ACCOUNT, outcome: account }, 'account is as configured');
await ensureFirstApiKey(db, config.RATCHET_DATA, Date.now());
await db.destroy();

const connection = await Connection.connect(temporal.connectionOptions);
await registerSearchAttributes(connection);
await connection.workflowService.updateNamespace({
  namespace: temporal.namespace,
  config: { workflowExecutionRetentionTtl: { seconds: (retentionDays * 86_400) as never } },
});
await connection.close();
logger.info({ namespace: temporal.namespace, retentionDays }, 'namespace is as configured');
announceReady();

/** A server that knows them already says so, and that is success; one that can't register them says it loudly. */
async function registerSearchAttributes({ operatorService }: Connection): Promise<void> {
  const keyword = 2;
  const { namespace } = temporal;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
  });
}
