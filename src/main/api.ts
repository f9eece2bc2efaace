import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { Registry } from 'prom-client';
import { startSweepRelay } from '../../activities/trading-state/sweep-relay.ts';
import { defaultRates } from '../api/rate-limits.ts';
import { createApi } from '../api/server.ts';
import { breakerSettings, loadConfig, orderTimings, secretValues } from '../config/config.ts';
import { payloadOptions } from '../config/payloads.ts';
import { loadTemporalConnection } from '../config/temporal-connection.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';
import { startMetricsServer } from '../observability/metrics-server.ts';
import { createDatabase, type Db } from '../store/database.ts';
import { checkDurability } from '../store/durability.ts';
import { createMarketReader, createPriceReader } from './markets.ts';
import { announceReady, endRequested, endWithReason } from './process-life.ts';
import { startSealing, tellOfConflict } from './recorded.ts';
import { openRoom, openSharedRates, openVenue, venueSettings } from './venues.ts';

// The API process: it works on the database alone, asks Temporal only to enter a trade, and seals the record too.
endWithReason();
const config = loadConfig(process.env, ['DATABASE_URL', ...venueSettings]);
const temporal = loadTemporalConnection(process.env);
const logger = createLogger({
  name: 'api',
  level: config.LOG_LEVEL,
  secrets: [...secretValues(config), ...temporal.secrets],
});
const ending = endRequested();
const registry = new Registry();
const metrics = createMetrics(registry);

const db: Db = createDatabase({
  url: config.DATABASE_URL.reveal(),
  applicationName: 'ratchet-api',
  poolMax: 10,
  onError: (error) => logger.warn({ error }, 'database connection lost'),
  onEventConflict: tellOfConflict(() => db, logger),
});
await checkDurability(db);
const sealer = await startSealing(config, db, logger, metrics);
const shared = openSharedRates(config, { db, holder: `${hostname()}-${process.pid}`, logger });
const venue = openVenue(config, logger, { shared });
await shared.looked();
const room = openRoom(venue, config, logger, metrics);
// With every worker away, a freeze is still carried out.
const sweeps = startSweepRelay(
  {
    db,
    rooms: new Map([[venue.name, room]]),
    timings: orderTimings(config),
    holder: `api-${hostname()}-${process.pid}`,
    now: Date.now,
    sleep: (ms, signal) => setTimeout(ms, undefined, signal && { signal }),
    logger,
  },
  () => () => undefined,
);
// It connects with the first call: halts, closes and reads must work while Temporal is down.
const connection = Connection.lazy(temporal.connectionOptions);

const api = await createApi({
  db,
  temporal: new Client({ connection, namespace: temporal.namespace, ...payloadOptions(config) }),
  logger,
  now: Date.now,
  rates: defaultRates,
  site: {
    mode: config.RATCHET_MODE,
    account: config.RATCHET_ACCOUNT,
    venue: venue.name,
    currency: config.RATCHET_CURRENCY,
    temporalUi: { uiUrl: config.RATCHET_TEMPORAL_UI_URL, namespace: temporal.namespace },
  },
  breaker: breakerSettings(config),
  readMarket: createMarketReader(room, config.RATCHET_DATA),
  lastPrice: createPriceReader(room),
  metricsText: () => registry.metrics(),
});
const url = await api.listen({ host: config.RATCHET_API_HOST, port: config.RATCHET_API_PORT });
const metricsServer =
  config.RATCHET_METRICS_PORT === undefined
    ? undefined
    : await startMetricsServer({ registry, host: config.RATCHET_METRICS_HOST, port: config.RATCHET_METRICS_PORT });
logger.info({ url, mode: config.RATCHET_MODE }, 'api listens');
announceReady({ url, port: Number(new URL(url).port), ...(metricsServer && { metricsUrl: metricsServer.url }) });

const reason = await ending;
logger.info({ reason }, 'api is stopping');
await api.close();
await sweeps.stop();
await sealer.stop();
await metricsServer?.close();
await room.prices.close();
await venue.close();
await shared.close();
await connection.close();
await db.destroy();
