import { describe, expect, test } from 'vitest';
import { createSigner, encode, signedParameters, signedQuery } from '../../../src/venue/binance/sign.ts';

// The key pair that the venue's documentation prints as its example.
const apiKey = 'vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A';
const secret = 'NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j';

// RFC 8032, test 1, as PKCS#8: sixteen bytes of header and the seed.
const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const der = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex').toString('base64');
const ed25519Pem = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;

const limitOrder = { side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '0.1' };
const timing = { recvWindow: 5000, timestamp: 1499827319559 };

describe('REST', () => {
  test('signs a query as it is sent (V1)', () => {
    const query = signedQuery({ symbol: 'LTCBTC', ...limitOrder, ...timing }, createSigner(secret));
    expect(query).toBe(
      'symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559' +
        '&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71',
    );
  });

  test('signs query and body together without a separator (V2)', () => {
    const query = encode({ symbol: 'LTCBTC', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC' });
    const body = encode({ quantity: '1', price: '0.1', ...timing });
    expect(createSigner(secret)(query + body)).toBe('0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77');
  });

  test('encodes before it signs (V3)', () => {
    const query = signedQuery({ symbol: '１２３４５６', ...limitOrder, ...timing }, createSigner(secret));
    expect(query).toMatch(/^symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&/);
    expect(query).toMatch(/&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3$/);
  });

  test('signs with an Ed25519 key and encodes the signature', () => {
    const parameters = {
      symbol: 'BTCUSDT',
      side: 'SELL',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '1',
      price: '0.2',
      timestamp: 1668481559918,
      recvWindow: 5000,
    };
    const signature = 'XtZirsmmi0noRzUfkqktvkVfxpkq/WtbLg2UOL3QGYdUBZVlqOBEMuEVw8zioY93N54NcKj9UuAXQEa9zgTDBg==';
    expect(createSigner(ed25519Pem)(encode(parameters))).toBe(signature);
    expect(signedQuery(parameters, createSigner(ed25519Pem))).toContain(
      '&signature=XtZirsmmi0noRzUfkqktvkVfxpkq%2FWtbLg2UOL3QGYdUBZVlqOBEMuEVw8zioY93N54NcKj9UuAXQEa9zgTDBg%3D%3D',
    );
  });
});

describe('WebSocket API', () => {
  test.each([
    {
      vector: 'V4',
      parameters: {
        symbol: 'BTCUSDT',
        side: 'SELL',
        type: 'LIMIT',
        timeInForce: 'GTC',
        quantity: '0.01000000',
        price: '52000.00',
        recvWindow: 100,
        timestamp: 1645423376532,
        apiKey,
      },
      signature: 'aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24',
    },
    {
      vector: 'V5',
      parameters: {
        symbol: '１２３４５６',
        side: 'BUY',
        type: 'LIMIT',
        timeInForce: 'GTC',
        quantity: '1.00000000',
        price: '0.10000000',
        recvWindow: 5000,
        timestamp: 1645423376532,
        apiKey,
      },
      signature: 'b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd',
    },
  ])('signs sorted parameters without encoding ($vector)', ({ parameters, signature }) => {
    expect(signedParameters(parameters, createSigner(secret))).toEqual({ ...parameters, signature });
  });
});

test.each([
  ['-----BEGIN PRIVATE KEY-----\nnonsense-canary\n-----END PRIVATE KEY-----'],
  [
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----',
  ],
])('refuses a PEM that is no private Ed25519 key, without showing it', (pem) => {
  expect(() => createSigner(pem)).toThrow(/^CONFIG_INVALID: .*VENUE_API_SECRET/);
  expect(() => createSigner(pem)).not.toThrow(/canary|MCow/);
});
