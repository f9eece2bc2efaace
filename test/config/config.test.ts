import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breakerSettings, type Environment, loadConfig, secretValues } from '../../src/config/config.ts';
import { Secret } from '../../src/config/secret.ts';
import { settings } from '../../src/contracts/schemas/config.ts';
import { breakerDefaults } from '../../src/domain/circuit-breaker.ts';
import { RatchetError } from '../../src/domain/errors.ts';

const canary = 'canary-7f3a9b2c';

function refusalOf(environment: Environment, required: Parameters<typeof loadConfig>[1] = []): RatchetError {
  try {
    loadConfig(environment, required);
  } catch (error) {
    if (error instanceof RatchetError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const aFile = (text: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'ratchet-config-')), 'secret');
  writeFileSync(file, text);
  return file;
};

describe('loadConfig', () => {
  test('gives every default, which fits its own schema, when nothing is set', () => {
    expect(loadConfig({})).toMatchObject({
      RATCHET_MODE: 'paper',
      RATCHET_API_HOST: '127.0.0.1',
      RATCHET_RECV_WINDOW_MS: 3_000,
      RATCHET_FENCE_MARGIN_MS: 20_000,
      RATCHET_API_BEHIND_TLS_PROXY: false,
      RATCHET_CHECKPOINT_DIR: '.ratchet/checkpoints',
      DATABASE_URL: undefined,
    });
  });

  test('puts the keys and checkpoints into the data folder, wherever that is', () => {
    expect(loadConfig({ RATCHET_DATA: '/srv/$&/ratchet' })).toMatchObject({
      RATCHET_CHECKPOINT_KEY_FILE: '/srv/$&/ratchet/secrets/checkpoint-key.pem',
      RATCHET_CHECKPOINT_DIR: '/srv/$&/ratchet/checkpoints',
    });
  });

  test.each<{ name: string; value: string; says: string }>([
    { name: 'RATCHET_MODE', value: 'demo', says: '"demo" must be one of paper, live' },
    { name: 'RATCHET_API_PORT', value: '70000', says: '"70000" must be a whole number from 0 to 65535' },
    { name: 'RATCHET_API_PORT', value: '0x50', says: '"0x50" must be a whole number from 0 to 65535' },
    { name: 'RATCHET_RECV_WINDOW_MS', value: '3e3', says: '"3e3" must be a whole number from 100 to 60000' },
    { name: 'RATCHET_RECV_WINDOW_MS', value: '3000ms', says: '"3000ms" must be a whole number from 100 to 60000' },
    {
      name: 'RATCHET_VENUE_REST_URL',
      value: 'ftp://x',
      says: '"ftp://x" must be an address such as https://host:port',
    },
    { name: 'RATCHET_ACCOUNT', value: 'Main account', says: '"Main account" must be up to 32 of a-z, 0-9 and -' },
    { name: 'RATCHET_API_BEHIND_TLS_PROXY', value: 'yes', says: '"yes" must be true or false' },
    { name: 'RATCHET_RECVWINDOW_MS', value: '3000', says: '(unknown) is not a setting' },
    { name: 'RATCHET_MODE_FILE', value: '/x', says: '(unknown) is not a setting' },
    {
      name: 'VENUE_API_KEY',
      value: `${canary} with a blank`,
      says: '(not shown) must be printable characters without blanks',
    },
    { name: 'VENUE_API_SECRET_FILE', value: '/nowhere', says: '"/nowhere" can\'t be read: ENOENT' },
  ])('refuses $name=$value and says what is allowed', ({ name, value, says }) => {
    const refusal = refusalOf({ [name]: value });
    expect(refusal.code).toBe('CONFIG_INVALID');
    expect(refusal.context).toEqual({ [name]: says });
    expect(refusal.message).not.toContain(canary);
  });

  test('names every violation at once, missing settings included', () => {
    const environment = {
      RATCHET_MODE: 'x',
      LOG_LEVEL: 'loud',
      RATCHET_TYPO: '1',
      DATABASE_URL: `mysql://u:${canary}@h/d`,
    };
    const refusal = refusalOf(environment, ['DATABASE_URL', 'RATCHET_VENUE_REST_URL']);
    expect(Object.keys(refusal.context).sort()).toEqual(
      ['DATABASE_URL', 'LOG_LEVEL', 'RATCHET_MODE', 'RATCHET_TYPO', 'RATCHET_VENUE_REST_URL'].sort(),
    );
    expect(refusal.message).not.toContain(canary);
  });

  test('takes an empty variable for an absent one', () => {
    expect(loadConfig({ RATCHET_MODE: '', DATABASE_URL: '' })).toEqual(loadConfig({}));
  });

  test('leaves alone what belongs to other readers', () => {
    expect(() =>
      loadConfig({ RATCHET_TEMPORAL_CLI: '/usr/bin/temporal', PATH: '/bin', TEMPORAL_ADDRESS: 'x' }),
    ).not.toThrow();
  });

  test('reads a secret from the file that its variable names, without the line end', () => {
    const config = loadConfig({ VENUE_API_SECRET_FILE: aFile(`${canary}\n`) }, ['VENUE_API_SECRET']);
    expect(config.VENUE_API_SECRET.reveal()).toBe(canary);
  });

  test.each([
    { name: 'an empty secret file', environment: () => ({ VENUE_API_KEY_FILE: aFile('\n') }) },
    { name: 'a secret given twice', environment: () => ({ VENUE_API_KEY: canary, VENUE_API_KEY_FILE: aFile('x') }) },
  ])('refuses $name', ({ environment }) => {
    const refusal = refusalOf(environment());
    expect(Object.keys(refusal.context)).toEqual(['VENUE_API_KEY_FILE']);
    expect(refusal.message).not.toContain(canary);
  });

  test.each([
    { environment: { RATCHET_MODE: 'live' }, code: 'LIVE_MODE_UNAVAILABLE' },
    { environment: { RATCHET_VENUE_REST_URL: 'https://api.binance.com' }, code: 'PAPER_MODE_LIVE_VENUE' },
    { environment: { RATCHET_VENUE_REST_URL: 'https://api1.binance.com:443/' }, code: 'PAPER_MODE_LIVE_VENUE' },
    {
      environment: { RATCHET_VENUE_WS_API_URL: 'wss://ws-api.binance.com:9443/ws-api/v3' },
      code: 'PAPER_MODE_LIVE_VENUE',
    },
    { environment: { RATCHET_API_HOST: '0.0.0.0' }, code: 'API_WITHOUT_TLS' },
    { environment: { RATCHET_API_HOST: '::' }, code: 'API_WITHOUT_TLS' },
  ])('refuses what would be dangerous: $environment', ({ environment, code }) => {
    expect(refusalOf(environment).code).toBe(code);
  });

  test.each([
    { RATCHET_VENUE_REST_URL: 'http://127.0.0.1:7999' },
    { RATCHET_VENUE_REST_URL: 'https://testnet.binance.vision' },
    { RATCHET_VENUE_REST_URL: 'https://demo-api.binance.com' },
    { RATCHET_API_HOST: '0.0.0.0', RATCHET_API_BEHIND_TLS_PROXY: 'true' },
    { RATCHET_API_HOST: '127.0.0.2' },
  ])('accepts %o', (environment) => {
    expect(() => loadConfig(environment)).not.toThrow();
  });

  test('never shows a secret, however the configuration is printed', () => {
    const secret = fc.stringMatching(/^[a-z0-9]{12,40}$/);
    fc.assert(
      fc.property(secret, (value) => {
        const config = loadConfig({
          VENUE_API_SECRET: value,
          DATABASE_URL: `postgresql://ratchet:${value}@127.0.0.1/d`,
        });
        const prints = [JSON.stringify(config), inspect(config, { depth: 9 }), String(config.VENUE_API_SECRET)];
        expect(prints.filter((text) => text.includes(value))).toEqual([]);
      }),
    );
  });

  test('tells the logger every secret, the password inside an address included', () => {
    const config = loadConfig({ VENUE_API_KEY: 'key', DATABASE_URL: 'postgresql://ratchet:p%40ss@127.0.0.1/d' });
    expect(secretValues(config)).toEqual(['key', 'postgresql://ratchet:p%40ss@127.0.0.1/d', 'p%40ss', 'p@ss']);
  });
});

test('the breaker has the defaults that the domain documents', () => {
  expect(breakerSettings(loadConfig({}))).toEqual(breakerDefaults);
});

test('a secret gives its value only when it is asked to', () => {
  const secret = new Secret(canary);
  expect([JSON.stringify({ secret }), inspect(secret), String(secret)].join()).not.toContain(canary);
  expect(secret.reveal()).toBe(canary);
});

test('every setting has a meaning, a unit and what is allowed', () => {
  for (const [name, setting] of Object.entries(settings)) {
    expect(setting.meaning, name).toMatch(/^\S.*\.$/s);
    expect(setting.unit, name).toMatch(/^\S/);
    expect(setting.allowed, name).toMatch(/^\S/);
  }
});

test('durations carry their unit in the name', () => {
  const named = (unit: string, suffix: string) =>
    Object.entries(settings).filter(([name, setting]) => (setting.unit === unit) !== name.endsWith(suffix));
  expect(named('ms', '_MS')).toEqual([]);
  expect(named('port', '_PORT')).toEqual([]);
  expect(named('URL', '_URL')).toEqual([]);
});

describe('payload keys', () => {
  const key = Buffer.alloc(32, 7).toString('base64');

  test('F83: are never shown, neither the list nor one of them', () => {
    const config = loadConfig({ RATCHET_PAYLOAD_KEYS: `new:${key},old:${key.replace('B', 'C')}` });
    expect(inspect(config, { depth: 9 })).not.toContain(key);
    expect(secretValues(config)).toEqual(expect.arrayContaining([key, key.replace('B', 'C')]));
  });

  test.each(['', 'a:short=', `a b:${key}`, `a:${key},`, key])('F84: are refused with their name: %s', (keys) => {
    const refusal = refusalOf({ RATCHET_PAYLOAD_KEYS: keys, RATCHET_PAYLOADS_ENCRYPTED_ONLY: 'true' });
    expect(refusal).toMatchObject({ code: 'CONFIG_INVALID', context: { RATCHET_PAYLOAD_KEYS: expect.any(String) } });
    if (keys !== '') expect(refusal.message).not.toContain(keys);
  });
});
