import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSignedBy, restPayload, socketPayload } from '../../src/simulator/rest/signature.ts';
import { signatureOf } from './venue-client.ts';

// The sample key pair that the exchange's documentation publishes, with its answers.
const apiKey = 'vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A';
const secret = 'NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j';

const order = 'symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC';
const rest = 'quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559';
const wide = 'symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC';

describe('REST signatures', () => {
  test.each([
    {
      name: 'V1, all in the query',
      query: `${order}&${rest}`,
      body: '',
      signature: 'c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71',
    },
    {
      name: 'V2, in query and body without a separator',
      query: order,
      body: rest,
      signature: '0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77',
    },
    {
      name: 'V3, a symbol that is percent-encoded',
      query: `${wide}&${rest}`,
      body: '',
      signature: 'e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3',
    },
  ])('$name', ({ query, body, signature }) => {
    const inQuery = restPayload(`${query}&signature=${signature}`, body);
    expect(inQuery).toEqual({ signature, payload: query + body });
    expect(isSignedBy(secret, inQuery.payload, signature)).toBe(true);
    expect(isSignedBy(secret, inQuery.payload, signature.toUpperCase())).toBe(true);
    if (body === '') return;
    expect(restPayload(query, `${body}&signature=${signature}`)).toEqual(inQuery);
  });

  test('a payload without a signature has none', () => {
    expect(restPayload(order, '').signature).toBe(null);
  });

  test('any change of the text or of the signature is noticed', () => {
    const text = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(text, text, (payload, other) => {
        fc.pre(payload !== other);
        const signature = signatureOf(secret, payload);
        expect(isSignedBy(secret, payload, signature)).toBe(true);
        expect(isSignedBy(secret, other, signature)).toBe(false);
        expect(isSignedBy(secret, payload, signature.slice(1))).toBe(false);
        expect(isSignedBy(`${secret}x`, payload, signature)).toBe(false);
      }),
    );
  });
});

describe('WebSocket API signatures', () => {
  const parameters = { type: 'LIMIT', side: 'SELL', timeInForce: 'GTC', apiKey };

  test.each([
    {
      name: 'V4, sorted by name',
      more: { symbol: 'BTCUSDT', quantity: '0.01000000', price: '52000.00', recvWindow: 100, timestamp: 1645423376532 },
      signature: 'aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24',
    },
    {
      name: 'V5, not percent-encoded',
      more: {
        symbol: '１２３４５６',
        side: 'BUY',
        quantity: '1.00000000',
        price: '0.10000000',
        recvWindow: 5000,
        timestamp: 1645423376532,
      },
      signature: 'b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd',
    },
  ])('$name', ({ more, signature }) => {
    const payload = socketPayload({ signature: 'is left out', ...parameters, ...more });
    expect(isSignedBy(secret, payload, signature)).toBe(true);
  });
});
