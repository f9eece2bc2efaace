import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal } from '../../../src/domain/decimal.ts';
import { createSigner } from '../../../src/venue/binance/sign.ts';
import { createCcxtVenue } from '../../../src/venue/ccxt/adapter.ts';
import { openExchange } from '../../../src/venue/ccxt/exchange.ts';
import type { SignedOrder } from '../../../src/venue/venue.ts';
import { described, wanted } from '../contract/answers.ts';
import { order, routes } from '../contract/stage.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { aVenue, ok, startScriptedVenue, type VenueSettings } from '../support/scripted-venue.ts';

const keep = keepUntilTheEnd();

async function aServer(place: () => object = described) {
  const server = keep(
    await startScriptedVenue({ [routes.place]: () => ok(place()), [routes.find]: () => ok(place()) }),
  );
  const connect = (settings: Partial<VenueSettings> = {}) =>
    keep(aVenue({ url: server.url, create: createCcxtVenue, ...settings }));
  return { server, connect };
}

/** Prices and amounts as they may be: far more digits than a binary fraction can hold. */
const amount = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.bigInt({ min: 0n, max: 10n ** 8n - 1n }))
  .map(([whole, fraction]) => decimal(`${whole}.${String(fraction).padStart(8, '0')}`));

const signedOrder: fc.Arbitrary<SignedOrder> = fc
  .record({
    shape: fc.constantFrom('MARKET', 'LIMIT', 'STOP_LIMIT'),
    side: fc.constantFrom('BUY', 'SELL'),
    timeInForce: fc.constantFrom('GTC', 'IOC', 'FOK'),
    quantity: amount,
    limitPrice: amount,
    stopPrice: amount,
    signedAtMs: fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
    recvWindowMs: fc.integer({ min: 1, max: 60_000 }),
    symbol: fc.constantFrom('BTC/USDT', 'SHIB/USDT', '1INCH/BTC'),
    id: fc.uuid(),
  })
  .map(
    ({ shape, timeInForce, limitPrice, stopPrice, id, ...rest }): SignedOrder => ({
      ...rest,
      clientOrderId: id,
      orderType: shape,
      timeInForce: shape === 'MARKET' ? null : timeInForce,
      limitPrice: shape === 'MARKET' ? null : limitPrice,
      stopPrice: shape === 'STOP_LIMIT' ? stopPrice : null,
    }),
  );

const withoutSignature = ({ signature: _, ...parameters }: Readonly<Record<string, string>> = {}) => parameters;

describe('an order through ccxt', () => {
  test('is the very order that our own adapter sends: amounts, id, time and window', async () => {
    const { server, connect } = await aServer();
    const [own, through] = [keep(aVenue({ url: server.url })), connect()];
    await fc.assert(
      fc.asyncProperty(signedOrder, fc.constantFrom('entry', 'exit'), async (each, lane) => {
        await own.placeOrder(each, lane);
        await through.placeOrder(each, lane);
        const [expected, sent] = server.requestsTo(routes.place).slice(-2);
        expect(withoutSignature(sent?.parameters)).toEqual(withoutSignature(expected?.parameters));
      }),
      { numRuns: 60 },
    );
  });

  // RFC 8032, test 1, as PKCS#8: sixteen bytes of header and the seed.
  const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex').toString('base64');
  const pem = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
  test.each([
    ['a shared secret', 'secret-canary'],
    ['an Ed25519 key', pem],
    ['an Ed25519 key with blank lines after it', `${pem}\n\n`],
  ])('is signed with %s, over the bytes that are sent', async (_name, apiSecret) => {
    const { server, connect } = await aServer();
    await connect({ keys: { apiKey: 'key-canary', apiSecret } }).placeOrder(order, 'exit');
    const [request] = server.requestsTo(routes.place);
    const [payload = '', signature = ''] = request?.body.split('&signature=') ?? [];
    expect(decodeURIComponent(signature)).toBe(createSigner(apiSecret)(payload));
    expect(request?.headers['x-mbx-apikey']).toBe('key-canary');
  });

  test('that ccxt itself objects to was not sent, and its objection shows no secret', async () => {
    const { server, connect } = await aServer();
    const keyless = connect({ keys: { apiKey: '', apiSecret: 'secret-canary' } });
    const result = await keyless.placeOrder(order, 'exit');
    expect(result).toMatchObject({ outcome: 'NOT_SENT' });
    expect(result.detail).toContain('apiKey');
    expect(result.detail).not.toContain('secret-canary');
    expect(server.requestsTo(routes.place)).toEqual([]);
  });

  test('waits for no list of markets', async () => {
    const { server, connect } = await aServer();
    expect((await connect().placeOrder(order, 'exit')).outcome).toBe('ACCEPTED');
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([routes.place]);
  });

  test('asked about twice at once gets each question its own answer', async () => {
    const { server, connect } = await aServer();
    const venue = connect();
    const other = { ...wanted, clientOrderId: 'rte-b' };
    const [mine, another] = await Promise.all([venue.findOrder(wanted), venue.findOrder(other)]);
    expect([mine.outcome, another.outcome]).toEqual(['found', 'unavailable']);
    expect(server.requestsTo(routes.find)).toHaveLength(2);
  });
});

describe('ccxt', () => {
  const settings = { restUrl: 'http://127.0.0.1:9', apiKey: 'key-canary', apiSecret: 'secret-canary' };

  test('that is not installed is asked for by its name and version', () => {
    const require = () => {
      throw Object.assign(new Error("Cannot find module 'ccxt'"), { code: 'MODULE_NOT_FOUND' });
    };
    expect(() => openExchange(settings, require)).toThrow(/^VENUE_ADAPTER_MISSING: .*npm install ccxt@\d/);
  });

  test('that is broken is not taken for missing', () => {
    const require = () => {
      throw new SyntaxError('unexpected end of input');
    };
    expect(() => openExchange(settings, require)).toThrow('unexpected end of input');
  });

  test('knows no address but the one that is configured', () => {
    const addresses = Object.values(openExchange(settings).urls.api).filter((each) => typeof each === 'string');
    expect(addresses.length).toBeGreaterThan(0);
    expect(new Set(addresses.map((address) => new URL(address).origin))).toEqual(new Set([settings.restUrl]));
  });
});
