import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/config.ts';
import { aFolder } from './a-folder.ts';

type Service = {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly user?: string;
  readonly restart?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
};

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build !== undefined);

const isOneShot = (name: string): boolean =>
  services.some(([, { depends_on }]) => depends_on?.[name]?.condition === 'service_completed_successfully');

/** The services that break a rule, so that a failure names them. */
const offenders = (keeps: (service: Service, name: string) => boolean): readonly string[] =>
  services.filter(([name, service]) => !keeps(service, name)).map(([name]) => name);

describe('docker-compose.yml', () => {
  test('has the parts of the system', () => {
    expect(ours.map(([name]) => name)).toEqual(['setup', 'paper', 'worker', 'api']);
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(['postgres', 'temporal', 'temporal-ui']));
  });

  test('starts every service again and asks for its health, or runs it once', () => {
    const lasts = ({ restart, healthcheck }: Service) => restart === 'unless-stopped' && healthcheck !== undefined;
    const runsOnce = ({ restart }: Service) => /^on-failure:\d+$/.test(restart ?? '');
    expect(offenders((service, name) => (isOneShot(name) ? runsOnce(service) : lasts(service)))).toEqual([]);
  });

  test('lets services wait for others only in a way that those can fulfil', () => {
    const waits = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    const expected = waits.map(([name]) => (isOneShot(name) ? 'service_completed_successfully' : 'service_healthy'));
    expect(waits.map(([, { condition }]) => condition)).toEqual(expected);
    for (const [name] of waits) expect(compose.services).toHaveProperty(name);
  });

  test('pins every image to a version', () => {
    const pinned = /^[a-z]+(\/[a-z-]+)?:\d+\.\d+(\.\d+)?(-[a-z]+)?$/;
    const isPinned = ({ image, build }: Service) =>
      pinned.test(image) || existsSync(join(root, build?.dockerfile ?? '?'));
    expect(offenders(isPinned)).toEqual([]);
  });

  test('publishes ports on loopback only', () => {
    expect(offenders(({ ports = [] }) => ports.every((port) => port.startsWith('127.0.0.1:')))).toEqual([]);
  });

  test('mounts only files and volumes that exist', () => {
    const exists = (source: string) =>
      source.startsWith('./') ? existsSync(join(root, source)) : source in compose.volumes;
    const mounts = ({ volumes = [] }: Service) => volumes.map((volume) => volume.split(':')[0] ?? '');
    expect(offenders((service) => mounts(service).every(exists))).toEqual([]);
  });

  test('runs composition roots that exist, and never as root', () => {
    const sources = ours.map(([, { command = [] }]) => /dist\/(\S+)\.js/.exec(command.join(' '))?.[1]);
    expect(sources.filter((source) => !existsSync(join(root, `${source}.ts`)))).toEqual([]);
    expect(offenders(({ user }) => user === undefined)).toEqual([]);
  });

  test('has no secret in its text', () => {
    const named = services.flatMap(([, { environment = {} }]) => Object.entries(environment));
    const secret = named.filter(([name]) => /PASSWORD|SECRET|API_KEY|DATABASE_URL|OWNER_URL|PWD/.test(name));
    expect(secret.filter(([name, value]) => !(name.endsWith('_FILE') && value.startsWith('/run/secrets/')))).toEqual(
      [],
    );
  });

  test('gives every service the secrets that it reads', () => {
    const reads = (service: Service) =>
      [...JSON.stringify(service).matchAll(/\/run\/secrets\/([a-z-]+)/g)].map(([, name]) => name ?? '');
    const has = ({ secrets = [] }: Service, name: string) => secrets.includes(name) && name in compose.secrets;
    expect(offenders((service) => reads(service).every((name) => has(service, name)))).toEqual([]);
    expect(services.flatMap(([, service]) => reads(service)).length).toBeGreaterThan(0);
  });
});

describe('deploy/Dockerfile', () => {
  const lines = read('deploy/Dockerfile').split('\n');

  test('ends as another user than root, on pinned images', () => {
    expect(lines.filter((line) => line.startsWith('USER')).at(-1)).toBe('USER node');
    const images = lines.filter((line) => line.startsWith('FROM'));
    expect(images.every((line) => /^FROM node:\d+\.\d+\.\d+-bookworm-slim/.test(line))).toBe(true);
  });

  test('copies only what is there, and what its ignore file lets through', () => {
    const allowed = read('deploy/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copies = lines.filter((line) => line.startsWith('COPY') && !line.includes('--from='));
    const sources = copies.flatMap((line) => line.split(' ').slice(1, -1));
    for (const source of sources) {
      expect(existsSync(join(root, source))).toBe(true);
      expect(allowed.some((line) => source === line.slice(1) || source.startsWith(`${line.slice(1)}/`))).toBe(true);
    }
  });
});

describe('deploy/make-secrets.sh', () => {
  const make = (folder: string) => execFileSync('sh', [join(root, 'deploy/make-secrets.sh'), folder]);

  function someSecrets(): { folder: string; secret: (name: string) => string } {
    const folder = join(aFolder(), 'secrets');
    make(folder);
    return { folder, secret: (name) => readFileSync(join(folder, name), 'utf8') };
  }

  test('makes every secret that the containers get', () => {
    const { folder, secret } = someSecrets();
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(file).toBe(`deploy/secrets/${name}`);
      expect(secret(name).trim()).not.toBe('');
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('keeps what is there', () => {
    const { folder, secret } = someSecrets();
    const before = secret('database-url');
    make(folder);
    expect(secret('database-url')).toBe(before);
    expect(before).toContain(secret('application-password').trim());
  });

  test.each(['setup', 'worker', 'api'])('and with them, the settings of %s are whole', (name) => {
    const { folder, secret } = someSecrets();
    const { environment = {} } = compose.services[name] as Service;
    const here = Object.entries(environment).map(([key, value]) => [key, value.replace('/run/secrets', folder)]);
    const config = loadConfig(Object.fromEntries(here), ['DATABASE_URL', 'RATCHET_VENUE_REST_URL', 'VENUE_API_SECRET']);
    expect(config).toMatchObject({ RATCHET_MODE: 'paper', RATCHET_DATA: '/data', RATCHET_VENUE: 'paper' });
    expect(config.DATABASE_URL.reveal()).toBe(secret('database-url').trim());
  });
});
