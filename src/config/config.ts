import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { payloadKeysPattern } from '../contracts/payloads/payload-keys.ts';
import { otherVariables, type SettingName, settings } from '../contracts/schemas/config.ts';
import type { BreakerSettings } from '../domain/circuit-breaker.ts';
import { type Decimal, decimal } from '../domain/decimal.ts';
import { RatchetError } from '../domain/errors.ts';
import type { ReconciliationSettings } from '../domain/reconciliation/limits.ts';
import { Secret } from './secret.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

type Settings = typeof settings;
type Parsed<Name extends SettingName> = Settings[Name] extends { secret: true }
  ? Secret
  : z.output<Settings[Name]['schema']>;
type OptionalName = { [Name in SettingName]: Settings[Name] extends { default: string } ? never : Name }[SettingName];

/** The effective settings under the names of their variables. Those without a default may be undefined. */
export type Config = {
  readonly [Name in SettingName]: Name extends OptionalName ? Parsed<Name> | undefined : Parsed<Name>;
};

/** A configuration in which the settings that a process can't do without are there. */
export type ConfigWith<Name extends SettingName> = Config & { readonly [N in Name]: NonNullable<Config[N]> };

type Violations = Record<string, string>;

/**
 * Reads the configuration once, at start. A setting is its variable, or for a secret the file that `<NAME>_FILE`
 * names, or its default; an empty variable is an absent one.
 *
 * @throws RatchetError CONFIG_INVALID with every variable that is wrong, not only the first: unknown `RATCHET_…`
 * names, values that are not allowed, and those of `required` that are missing. LIVE_MODE_UNAVAILABLE,
 * PAPER_MODE_LIVE_VENUE and API_WITHOUT_TLS for combinations that would be dangerous.
 */
export function loadConfig<const Name extends OptionalName = never>(
  environment: Environment,
  required: readonly Name[] = [],
): ConfigWith<Name> {
  const violations: Violations = {};
  for (const name of unknownNames(environment)) violations[name] = '(unknown) is not a setting';

  const dataFolder = environment['RATCHET_DATA'] || settings.RATCHET_DATA.default;
  const entries = settingNames.map((name) => {
    const text = textOf(name, environment, dataFolder, violations);
    if (text === undefined && (required as readonly SettingName[]).includes(name)) {
      violations[name] ??= `(missing) must be ${settings[name].allowed}`;
    }
    return [name, text === undefined ? undefined : parsed(name, text, violations)];
  });
  if (Object.keys(violations).length > 0) throw new RatchetError('CONFIG_INVALID', violations);

  // Every name went through its own schema above; the compiler can't follow that through `map`.
  const config = Object.freeze(Object.fromEntries(entries)) as ConfigWith<Name>;
  refuseDanger(config);
  return config;
}

/** What a logger must never print: the secret settings, and the passwords and keys inside them. */
export function secretValues(config: Config): readonly string[] {
  return settingNames.flatMap((name) => {
    const value = config[name];
    return value instanceof Secret ? withParts(value.reveal()) : [];
  });
}

/** People behind a resume or a looser limit: live money takes two unless one is asked for. */
export const peopleNeededBy = ({ RATCHET_RESUME_APPROVALS: asked, RATCHET_MODE: mode }: Config): number =>
  Number(asked ?? (mode === 'live' ? 2 : 1));

/** How long the venue takes an order for, and when "no such order" may count. */
export const orderTimings = (config: Config) => ({
  recvWindowMs: config.RATCHET_RECV_WINDOW_MS,
  fenceApiTimeoutMs: config.RATCHET_FENCE_API_TIMEOUT_MS,
  fenceMarginMs: config.RATCHET_FENCE_MARGIN_MS,
});

export const breakerSettings = (config: Config): BreakerSettings => ({
  failureThreshold: config.RATCHET_BREAKER_FAILURE_THRESHOLD,
  failureWindowMs: config.RATCHET_BREAKER_FAILURE_WINDOW_MS,
  openTimeoutMs: config.RATCHET_BREAKER_OPEN_TIMEOUT_MS,
  halfOpenProbesMax: config.RATCHET_BREAKER_HALF_OPEN_PROBES_MAX,
  probeTimeoutMs: config.RATCHET_BREAKER_PROBE_TIMEOUT_MS,
  windowBoundary: config.RATCHET_BREAKER_WINDOW_BOUNDARY,
  dwellMs: config.RATCHET_BREAKER_DWELL_MS,
});

export const reconciliationSettings = (config: Config): ReconciliationSettings => ({
  tolerances: { currency: config.RATCHET_CURRENCY, byAsset: tolerancesOf(config.RATCHET_RECONCILE_TOLERANCES ?? '') },
  limits: {
    unexplainedMax: config.RATCHET_RECONCILE_UNEXPLAINED_MAX,
    driftMax: decimal(config.RATCHET_RECONCILE_DRIFT_MAX),
  },
  correctionTimeoutMs: config.RATCHET_CORRECTION_TIMEOUT_MS,
});

function tolerancesOf(list: string): Readonly<Record<string, Decimal>> {
  const entries = list.split(',').flatMap((entry) => {
    const [asset, amount] = entry.split('=');
    return asset && amount ? [[asset, decimal(amount)] as const] : [];
  });
  return Object.fromEntries(entries);
}

const settingNames = Object.keys(settings) as SettingName[];

const isSecret = (name: SettingName): boolean => 'secret' in settings[name];

const isKnown = (name: string): boolean =>
  name in settings ||
  name in otherVariables ||
  settingNames.some((known) => isSecret(known) && name === fileName(known));

const fileName = (name: SettingName): string => `${name}_FILE`;

function unknownNames(environment: Environment): readonly string[] {
  return Object.keys(environment).filter((name) => name.startsWith('RATCHET_') && !isKnown(name));
}

function textOf(
  name: SettingName,
  environment: Environment,
  dataFolder: string,
  violations: Violations,
): string | undefined {
  const setting = settings[name];
  const text = environment[name] || undefined;
  const file = isSecret(name) ? environment[fileName(name)] || undefined : undefined;
  if (text !== undefined && file !== undefined) {
    violations[fileName(name)] = `(set) and ${name} can't both be set`;
    return undefined;
  }
  if (file !== undefined) return secretFrom(file, fileName(name), violations);
  if (text !== undefined) return text;
  return 'default' in setting ? setting.default.replace(/^<RATCHET_DATA>(?=\/)/, () => join(dataFolder)) : undefined;
}

function secretFrom(path: string, variable: string, violations: Violations): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text === '') violations[variable] = `${JSON.stringify(path)} is empty`;
    return text || undefined;
  } catch (error) {
    violations[variable] = `${JSON.stringify(path)} can't be read: ${String((error as NodeJS.ErrnoException).code)}`;
    return undefined;
  }
}

function parsed(name: SettingName, text: string, violations: Violations): unknown {
  const { schema, allowed } = settings[name];
  const result = schema.safeParse(text);
  if (!result.success) {
    violations[name] = `${isSecret(name) ? '(not shown)' : JSON.stringify(text)} must be ${allowed}`;
    return undefined;
  }
  return isSecret(name) ? new Secret(text) : result.data;
}

function refuseDanger(config: Config): void {
  // What live trading lacks is said in docs/live.md.
  if (config.RATCHET_MODE === 'live') throw new RatchetError('LIVE_MODE_UNAVAILABLE');

  for (const name of ['RATCHET_VENUE_REST_URL', 'RATCHET_VENUE_WS_API_URL'] as const) {
    const address = config[name];
    if (address !== undefined && takesRealOrders(new URL(address).hostname)) {
      throw new RatchetError('PAPER_MODE_LIVE_VENUE', { [name]: address });
    }
  }
  if (config.RATCHET_PAYLOADS_ENCRYPTED_ONLY && config.RATCHET_PAYLOAD_KEYS === undefined) {
    throw new RatchetError('CONFIG_INVALID', {
      RATCHET_PAYLOAD_KEYS: '(missing) RATCHET_PAYLOADS_ENCRYPTED_ONLY needs it',
    });
  }
  if (!isLoopback(config.RATCHET_API_HOST) && !config.RATCHET_API_BEHIND_TLS_PROXY) {
    throw new RatchetError('API_WITHOUT_TLS', { RATCHET_API_HOST: config.RATCHET_API_HOST });
  }
}

// The venue's testnet has another domain, and its demo hosts are named so.
const takesRealOrders = (hostname: string): boolean =>
  /(^|\.)binance\.(com|us)$/.test(hostname) && !hostname.startsWith('demo-');

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

function withParts(text: string): readonly string[] {
  if (payloadKeysPattern.test(text)) return [text, ...text.split(/[,:]/).filter((part) => part.length > 32)];
  const password = URL.canParse(text) ? new URL(text).password : '';
  return password === '' ? [text] : [text, password, decodeURIComponent(password)];
}
