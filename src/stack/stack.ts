import { join } from 'node:path';
import type { StackFile } from '../config/stack-file.ts';
import { findTemporalCli } from './binaries.ts';
import { ChildFault, type ReadyLine } from './child.ts';
import { logFileOf } from './child-log.ts';
import { keptSecret } from './data-folder.ts';
import { type Database, givenDatabase } from './database.ts';
import { StackFailure } from './failure.ts';
import type { Flags } from './flags.ts';
import { choosePort, isFree } from './ports.ts';
import type { Report } from './report.ts';
import {
  apiChild,
  type PaperPorts,
  paperChild,
  postgresChild,
  type Site,
  setupChild,
  temporalChild,
  type VenueKeys,
  workerChild,
} from './services.ts';
import type { Supervisor } from './supervisor.ts';

/** Where each part answers, unless the port is taken. */
const wanted = {
  temporal: { temporal: 7233, ui: 8233 },
  postgres: { postgres: 7432 },
  paper: { venue: 7430, control: 7431 },
  worker: { metrics: 7440 },
  api: { api: 7420 },
} as const;

const startsOnOtherPorts = 3;

/** In the folder of secrets. */
const paperKeyFiles = { key: 'paper-api-key', secret: 'paper-api-secret' } as const;

/** What the parts of a start have in common. */
export type Start = {
  readonly site: Site;
  readonly flags: Flags;
  readonly report: Report;
  readonly supervisor: Supervisor;
};

/** Where everything answers, and as whom. */
export type System = {
  readonly database: Database;
  readonly temporal: { readonly address: string; readonly uiUrl: string };
  readonly paper: { readonly url: string; readonly controlUrl: string; readonly symbols: readonly string[] };
  readonly workerMetricsUrl: string;
  readonly api: { readonly url: string; readonly keyFile: string };
};

/** Starts everything but the bot, each part as soon as what it needs is there. */
export async function startSystem(start: Start): Promise<System> {
  const { folder } = start.site;
  const keys = {
    key: keptSecret(folder, paperKeyFiles.key).value,
    secret: keptSecret(folder, paperKeyFiles.secret).value,
  };
  const [database, temporal, paper] = await Promise.all([
    startDatabase(start),
    startTemporal(start),
    startPaper(start, keys),
  ]);
  const settings = settingsOf({ database, temporal, paper, keys, dataFolder: folder.path });
  await setUp(start, { ...settings, DATABASE_OWNER_URL: database.ownerUrl });
  const [workerMetricsUrl, api] = await Promise.all([startWorker(start, settings), startApi(start, settings)]);
  return { database, temporal, paper, workerMetricsUrl, api };
}

/** The same facts for the tools that look for a running stack. */
export function stackFileOf({ site, supervisor }: Start, system: System, startedAtMs: number): StackFile {
  const { database, temporal, paper, api, workerMetricsUrl } = system;
  const places: Record<string, { url?: string; metricsUrl?: string }> = {
    worker: { metricsUrl: workerMetricsUrl },
    api: { url: api.url, metricsUrl: `${api.url}/metrics` },
    paper: { url: paper.url },
  };
  const processes = [...supervisor.pids()].map(([name, pid]) => [
    name,
    { pid, logFile: logFileOf(site.folder, name), ...places[name] },
  ]);
  return {
    version: 1,
    mode: 'paper',
    account: site.environment['RATCHET_ACCOUNT'] || 'main',
    venue: 'paper',
    startedAtMs,
    supervisorPid: process.pid,
    temporal: { ...temporal, namespace: 'default' },
    database,
    api: { url: api.url, keyFile: api.keyFile },
    venueAccess: {
      ...venueUrls(paper.url),
      keyFile: join(site.folder.secrets, paperKeyFiles.key),
      secretFile: join(site.folder.secrets, paperKeyFiles.secret),
    },
    paper: { url: paper.url, controlUrl: paper.controlUrl },
    processes: Object.fromEntries(processes),
  };
}

async function startDatabase(start: Start): Promise<Database> {
  const { site, report, supervisor } = start;
  const given = givenDatabase(process.env);
  if (given !== undefined) {
    report.note(`PostgreSQL: the one that DATABASE_URL names, at ${new URL(given.url).host}`);
    return given;
  }
  const owner = keptSecret(site.folder, 'postgres-password');
  const application = keptSecret(site.folder, 'application-password');
  const { postgres } = await onFreePorts(start, 'PostgreSQL', wanted.postgres, (ports) =>
    supervisor.keep(postgresChild(site, ports.postgres, owner.file)),
  );
  const place = `127.0.0.1:${postgres}/ratchet`;
  return {
    url: `postgresql://ratchet_app:${application.value}@${place}`,
    ownerUrl: `postgresql://postgres:${owner.value}@${place}`,
  };
}

async function startTemporal(start: Start): Promise<System['temporal']> {
  const { site, report, supervisor } = start;
  const skip = (source: string, reason: string) => report.note(`Temporal CLI, ${source}: ${reason}`);
  const cli = await report.step(
    'Temporal CLI',
    () => findTemporalCli(site.root, process.env, skip),
    ({ version, source }) => `${version} (${source})`,
  );
  const ports = await onFreePorts(start, 'Temporal', wanted.temporal, (chosen) =>
    supervisor.keep(temporalChild(site, cli.path, chosen)),
  );
  return { address: `127.0.0.1:${ports.temporal}`, uiUrl: `http://127.0.0.1:${ports.ui}` };
}

async function startPaper(start: Start, keys: VenueKeys): Promise<System['paper']> {
  const { site, flags, supervisor } = start;
  let said: ReadyLine = {};
  const ports: PaperPorts = await onFreePorts(start, 'paper venue', wanted.paper, async (chosen) => {
    said = await supervisor.keep(paperChild(site, flags, chosen, keys));
  });
  const symbols = Array.isArray(said['symbols']) ? said['symbols'].map(String) : [];
  if (symbols.length === 0) throw new StackFailure('The paper venue does not say its symbols.', 'read its log');
  return { url: `http://127.0.0.1:${ports.venue}`, controlUrl: `http://127.0.0.1:${ports.control}`, symbols };
}

async function setUp({ site, report, supervisor }: Start, settings: NodeJS.ProcessEnv): Promise<void> {
  await report.step('set-up', async () => {
    const spec = setupChild(site, settings);
    const exit = await supervisor.follow(spec, false);
    if (exit.code !== 0) throw new ChildFault(spec, exit);
  });
}

async function startWorker(start: Start, settings: NodeJS.ProcessEnv): Promise<string> {
  const { metrics } = await onFreePorts(start, 'worker', wanted.worker, (ports) =>
    start.supervisor.keep(workerChild(start.site, { ...settings, RATCHET_METRICS_PORT: String(ports.metrics) })),
  );
  return `http://127.0.0.1:${metrics}/metrics`;
}

async function startApi(start: Start, settings: NodeJS.ProcessEnv): Promise<System['api']> {
  const port = Number(start.site.environment['RATCHET_API_PORT']) || wanted.api.api;
  const ports = await onFreePorts(start, 'API', { api: port }, (chosen) =>
    start.supervisor.keep(apiChild(start.site, { ...settings, RATCHET_API_PORT: String(chosen.api) })),
  );
  return { url: `http://127.0.0.1:${ports.api}`, keyFile: join(start.site.folder.secrets, 'api-key') };
}

/**
 * Starts a part on its wanted ports or on free ones instead, as a step whose line says which. Another program may
 * take a port between the look and the start: then it is tried again elsewhere.
 */
function onFreePorts<P extends Readonly<Record<string, number>>>(
  { report }: Start,
  name: string,
  wantedPorts: P,
  begin: (ports: Readonly<Record<keyof P, number>>) => Promise<unknown>,
): Promise<Readonly<Record<keyof P, number>>> {
  const attempt = async (left: number): Promise<Readonly<Record<keyof P, number>>> => {
    const ports: Record<string, number> = {};
    for (const [role, port] of Object.entries(wantedPorts)) ports[role] = await choosePort(port);
    try {
      await begin(ports as Record<keyof P, number>);
      return ports as Record<keyof P, number>;
    } catch (error) {
      const free = await Promise.all(Object.values(ports).map(isFree));
      if (!(error instanceof ChildFault) || free.every(Boolean) || left === 0) throw error;
      return attempt(left - 1);
    }
  };
  return report.step(
    name,
    () => attempt(startsOnOtherPorts - 1),
    (ports) => describePorts(wantedPorts, ports),
  );
}

function describePorts(wantedPorts: Readonly<Record<string, number>>, ports: Readonly<Record<string, number>>): string {
  const texts = Object.entries(ports).map(([role, port]) =>
    port === wantedPorts[role] ? String(port) : `${port} (${wantedPorts[role]} is taken)`,
  );
  return `127.0.0.1:${texts.join(' and ')}`;
}

function settingsOf({
  database,
  temporal,
  paper,
  keys,
  dataFolder,
}: Pick<System, 'database' | 'temporal' | 'paper'> & {
  readonly keys: VenueKeys;
  readonly dataFolder: string;
}): NodeJS.ProcessEnv {
  const { restUrl, streamUrl, wsApiUrl } = venueUrls(paper.url);
  return {
    RATCHET_DATA: dataFolder,
    RATCHET_VENUE: 'paper',
    RATCHET_CURRENCY: paper.symbols[0]?.split('/')[1],
    RATCHET_VENUE_REST_URL: restUrl,
    RATCHET_VENUE_STREAM_URL: streamUrl,
    RATCHET_VENUE_WS_API_URL: wsApiUrl,
    VENUE_API_KEY: keys.key,
    VENUE_API_SECRET: keys.secret,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: 'default',
    RATCHET_TEMPORAL_UI_URL: temporal.uiUrl,
  };
}

function venueUrls(restUrl: string): {
  readonly restUrl: string;
  readonly streamUrl: string;
  readonly wsApiUrl: string;
} {
  const streamUrl = restUrl.replace(/^http/, 'ws');
  return { restUrl, streamUrl, wsApiUrl: `${streamUrl}/ws-api/v3` };
}
