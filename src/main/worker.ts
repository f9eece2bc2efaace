import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { Registry } from 'prom-client';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { createPlanExit } from '../../activities/exits/plan-exit.ts';
import { createActivities } from '../../activities/index.ts';
import { startOutboxRelay } from '../../activities/relay-outbox.ts';
import { startSweepRelay } from '../../activities/trading-state/sweep-relay.ts';
import { createTellPause } from '../../activities/trading-state/tell-pause.ts';
import { breakerSettings, loadConfig, orderTimings, reconciliationSettings, secretValues } from '../config/config.ts';
import { payloadCodecs, payloadFingerprints, payloadOptions } from '../config/payloads.ts';
import { loadTemporalConnection } from '../config/temporal-connection.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';
import { startMetricsServer } from '../observability/metrics-server.ts';
import { createScrubber } from '../observability/scrubber.ts';
import { createTemporalLogger } from '../observability/temporal-logger.ts';
import { createDatabase, type Db } from '../store/database.ts';
import { checkDurability } from '../store/durability.ts';
import { createListener } from '../store/listener.ts';
import { buildIdOf } from './build-id.ts';
import { keepDiskReserve } from './disk-reserve.ts';
import { joinFleet } from './fleet.ts';
import { freePort } from './free-port.ts';
import { keepHalts } from './keep-halts.ts';
import { startPatrol } from './patrol.ts';
import { announceReady, endRequested, endWithReason } from './process-life.ts';
import { ensureReconciliationSchedules, watchReconciliation } from './reconciling.ts';
import { startSealing, tellOfConflict } from './recorded.ts';
import { startStandingLifecycles } from './standing-lifecycles.ts';
import { createWorkers } from './temporal-workers.ts';
import { openRoom, openSharedRates, openVenue, venueSettings } from './venues.ts';

// A worker process: the four task queues' workers, the outbox relay, a patrol and a sealer. As many of them as wanted.
endWithReason();
const config = loadConfig(process.env, ['DATABASE_URL', ...venueSettings]);
const temporal = loadTemporalConnection(process.env);
const secrets = [...secretValues(config), ...temporal.secrets];
const logger = createLogger({ name: 'worker', level: config.LOG_LEVEL, secrets });
const ending = endRequested();
const registry = new Registry();
const metrics = createMetrics(registry);
const sdkAddress = `127.0.0.1:${await freePort()}`;
Runtime.install({
  logger: createTemporalLogger(logger),
  telemetryOptions: {
    metrics: { prometheus: { bindAddress: sdkAddress } },
    logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
  },
});

const databaseUrl = config.DATABASE_URL.reveal();
const onDatabaseError = (error: Error) => logger.warn({ error }, 'database connection lost');
const db: Db = createDatabase({
  url: databaseUrl,
  applicationName: 'ratchet-worker',
  poolMax: 20,
  onError: onDatabaseError,
  onEventConflict: tellOfConflict(() => db, logger),
});
await checkDurability(db);
const listener = createListener({
  url: databaseUrl,
  applicationName: 'ratchet-worker-listener',
  onError: onDatabaseError,
});
const identity = `${hostname()}-${process.pid}`;
const build = buildIdOf(fileURLToPath(new URL('../../', import.meta.url)));
const readsKeys = payloadFingerprints(config);
const fleet = await joinFleet({
  db,
  self: { worker: identity, build, writesKey: readsKeys[0] ?? null, readsKeys },
  policy: config.RATCHET_BUILD_POLICY,
  logger,
  sleep: setTimeout,
});
const sealer = await startSealing(config, db, logger, metrics);

const shared = openSharedRates(config, { db, holder: identity, logger, listener });
const here = { account: config.RATCHET_ACCOUNT, venue: config.RATCHET_VENUE };
const venue = openVenue(config, logger, { shared, onPause: createTellPause({ db, now: Date.now, logger }, here) });
// A worker that comes up during a ban must not be the one that makes it longer.
await shared.looked();
const room = openRoom(venue, config, logger, metrics);
const connection = await NativeConnection.connect(temporal.connectionOptions);
const client = new Client({ connection, namespace: temporal.namespace, ...payloadOptions(config) });
const halts = await keepHalts({ db, dataFolder: config.RATCHET_DATA, metrics, logger, now: Date.now });
const disk = await keepDiskReserve({
  db,
  folders: [config.RATCHET_DATA, config.RATCHET_CHECKPOINT_DIR],
  reserveMb: config.RATCHET_DISK_RESERVE_MB,
  metrics,
  logger,
  now: Date.now,
});
const dependencies: ActivityDependencies = {
  db,
  rooms: new Map([[venue.name, room]]),
  timings: orderTimings(config),
  unresolved: config.RATCHET_UNRESOLVED_ORDERS,
  breaker: breakerSettings(config),
  entryBrake: () => halts.entryBrake() ?? disk.entryBrake(),
  watchShards: config.RATCHET_WATCH_SHARDS,
  reconciliation: reconciliationSettings(config),
  onGuardsChanged: (changed) => listener.on('ratchet_guards', changed),
  holder: identity,
  now: Date.now,
  sleep: (ms, signal) => setTimeout(ms, undefined, signal && { signal }),
  logger,
  metrics,
};
const planExit = createPlanExit(dependencies);
const relay = startOutboxRelay({
  db,
  client,
  logger,
  now: Date.now,
  onAnnounced: (announced) => listener.on('ratchet_outbox', announced),
  newestNote: sealer.newestNote,
  planExit: (tradeId) => planExit({ tradeId, canceled: [] }),
});
const workers = await createWorkers({
  connection,
  namespace: temporal.namespace,
  identity: `${identity}@${build}`,
  scrub: createScrubber(secrets),
  codecs: payloadCodecs(config),
  venues: [venue.name],
  activities: createActivities(dependencies),
});
const sweeps = startSweepRelay(dependencies, (changed) => listener.on('ratchet_holds', changed));
const running = Promise.all(workers.map((worker) => worker.run()));
const patrol = startPatrol({
  db,
  venue: venue.name,
  account: config.RATCHET_ACCOUNT,
  prices: room.prices,
  metrics,
  logger,
  now: Date.now,
});
const metricsServer =
  config.RATCHET_METRICS_PORT === undefined
    ? undefined
    : await startMetricsServer({
        registry,
        host: config.RATCHET_METRICS_HOST,
        port: config.RATCHET_METRICS_PORT,
        sdkAddress,
        fault: () => workers.find((worker) => worker.getState() !== 'RUNNING') && 'a worker does not run',
      });
await startStandingLifecycles(client, { venue: venue.name, account: config.RATCHET_ACCOUNT });
const reconciled = {
  venue: venue.name,
  account: config.RATCHET_ACCOUNT,
  everyMs: config.RATCHET_RECONCILE_EVERY_MS,
};
await ensureReconciliationSchedules(client, reconciled);
const reconciliationWatch = watchReconciliation({ db, metrics, logger, now: Date.now, ...reconciled });
announceReady({ identity, build, ...(metricsServer && { metricsUrl: metricsServer.url }) });

const reason = await Promise.race([
  ending,
  running.then(() => 'the workers stopped'),
  fleet.refused.then((error) => error.message),
]);
logger.info({ reason }, 'worker is stopping');
for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
await running;
await sweeps.stop();
await disk.stop();
await halts.stop();
await patrol.stop();
await reconciliationWatch.stop();
await relay.stop();
await fleet.stop();
await sealer.stop();
await metricsServer?.close();
await listener.close();
await room.prices.close();
await venue.close();
await shared.close();
await connection.close();
await db.destroy();
