import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { createTemporalLogger } from '../../src/observability/temporal-logger.ts';

const canary = 'canary-7f3a9b2c/+=';

function aLogger(options: { secrets?: readonly string[]; level?: string } = {}) {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    ...options,
    destination: { write: (line) => lines.push(line) },
  });
  return { logger, lines, text: () => lines.join('') };
}

describe('createLogger', () => {
  test('writes one event as one line of JSON with level, process, message and fields', () => {
    const { logger, lines } = aLogger();
    logger.info({ tradeId: 't-1' }, 'order sent\nas planned');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      name: 'worker',
      tradeId: 't-1',
      msg: 'order sent\nas planned',
    });
  });

  test('tells code, context, cause and stack of an error, and nothing else that hangs on it', () => {
    const { logger, lines } = aLogger();
    const cause = new Error('socket hang up');
    const error = Object.assign(new RatchetError('VENUE_UNAVAILABLE', { venue: 'paper' }, { cause }), {
      request: { body: 'long' },
    });
    logger.error({ err: error }, 'order not sent');
    const { err } = JSON.parse(lines[0] ?? '');
    expect(err).toMatchObject({ code: 'VENUE_UNAVAILABLE', context: { venue: 'paper' } });
    expect(err.stack).toContain('socket hang up');
    expect(err.request).toBeUndefined();
  });

  // Each of these has leaked somewhere: in a path, in a text, in a header list, in JSON within JSON.
  const places: readonly { name: string; log: (secret: string) => [object, string] }[] = [
    { name: 'a field', log: (secret) => [{ apiSecret: secret }, 'x'] },
    { name: 'a field one level down', log: (secret) => [{ venue: { apiKey: secret } }, 'x'] },
    { name: 'a field four levels down', log: (secret) => [{ a: { b: { c: { password: secret } } } }, 'x'] },
    { name: 'a list under a secret name', log: (secret) => [{ token: [secret] }, 'x'] },
    { name: 'a header object', log: (secret) => [{ request: { headers: { 'X-MBX-APIKEY': secret } } }, 'x'] },
    { name: 'raw headers', log: (secret) => [{ rawHeaders: ['Host', 'x', 'X-MBX-APIKEY', secret] }, 'x'] },
    {
      name: 'a signed address',
      log: (secret) => [{ url: `https://h/api/v3/order?symbol=X&signature=${secret}&timestamp=1` }, 'x'],
    },
    { name: 'a message', log: (secret) => [{}, `sent with signature=${secret}`] },
    { name: 'an authorization header in a text', log: (secret) => [{}, `Authorization: Bearer ${secret}`] },
    {
      name: 'a database address',
      log: (secret) => [{}, `connect postgresql://ratchet:${secret.replace('/', '%2F')}@db:5432/ratchet`],
    },
    {
      name: 'JSON within JSON',
      log: (secret) => [{ body: JSON.stringify({ inner: JSON.stringify({ listenKey: secret }) }) }, 'x'],
    },
    { name: 'the message of an error', log: (secret) => [{ err: new Error(`GET /?listenKey=${secret} failed`) }, 'x'] },
    {
      name: 'the cause of an error',
      log: (secret) => [{ err: new Error('x', { cause: new Error(`token=${secret}`) }) }, 'x'],
    },
    { name: 'a Secret under any name', log: (secret) => [{ whatever: new Secret(secret) }, 'x'] },
  ];

  test.each(places)('F83: takes a secret out of $name, known or not', ({ log }) => {
    for (const secrets of [[], [canary]]) {
      const { logger, text } = aLogger({ secrets });
      for (const secret of [canary, encodeURIComponent(canary)]) {
        const value = log(secret);
        logger.error(value[0], value[1]);
      }
      expect(text()).toContain('[redacted]');
      expect(text()).not.toContain('canary');
      for (const line of text().trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
    }
  });

  test('F83: takes known secrets out wherever they are, and leaves a line of valid JSON', () => {
    const secret = fc
      .string({ minLength: 12, maxLength: 40, unit: 'grapheme-ascii' })
      .filter((text) => /[a-zA-Z]{3}/.test(text));
    fc.assert(
      fc.property(secret, fc.string(), (value, around) => {
        const { logger, lines } = aLogger({ secrets: [value] });
        logger.info({ odd: { deep: [`${around}${value}`] } }, `${value}${around}`);
        const line = JSON.parse(lines[0] ?? '');
        expect(`${line.msg}`.startsWith('[redacted]')).toBe(true);
        expect(`${line.odd.deep[0]}`.includes(value)).toBe(false);
      }),
    );
  });

  test('leaves ordinary words alone', () => {
    const { logger, lines } = aLogger({ secrets: ['a'] });
    logger.info({ stream: 'wss://venue:9443/ws/btcusdt@trade' }, 'stream opened');
    expect(JSON.parse(lines.pop() ?? '').stream).toBe('wss://venue:9443/ws/btcusdt@trade');
    logger.info({ tokens: 3, feeAsset: 'BNB', reason: 'the secret of trading' }, 'a signature was checked');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      tokens: 3,
      feeAsset: 'BNB',
      reason: 'the secret of trading',
      msg: 'a signature was checked',
    });
  });
});

test('lines of the Temporal SDK arrive with their level and source', () => {
  const { logger, lines } = aLogger({ level: 'trace' });
  const sdk = createTemporalLogger(logger);
  sdk.log('WARN', 'slow task', { workflowId: 'entry-1' });
  sdk.trace('detail');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', source: 'temporal', msg: 'slow task', workflowId: 'entry-1' },
    { level: 'trace', source: 'temporal', msg: 'detail' },
  ]);
});
