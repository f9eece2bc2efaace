import pino from 'pino';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { openVenue, venueSettings } from '../../../src/main/venues.ts';
import { described } from '../contract/answers.ts';
import { order, routes } from '../contract/stage.ts';
import { keepUntilTheEnd } from '../support/closing.ts';
import { ok, startScriptedVenue } from '../support/scripted-venue.ts';

const keep = keepUntilTheEnd();

// Who put a request together shows in the order of its parameters, and in nothing else.
test.each([
  [{}, 'symbol='],
  [{ RATCHET_VENUE_ADAPTER: 'binance' }, 'symbol='],
  [{ RATCHET_VENUE_ADAPTER: 'ccxt' }, 'timestamp='],
])('with %j the body of an order begins with %s', async (settings, beginning) => {
  const server = keep(await startScriptedVenue({ [routes.place]: () => ok(described()) }));
  const environment = {
    ...settings,
    RATCHET_VENUE_REST_URL: server.url,
    RATCHET_VENUE_STREAM_URL: server.url.replace('http', 'ws'),
    RATCHET_VENUE_WS_API_URL: server.url.replace('http', 'ws'),
    VENUE_API_KEY: 'key-canary',
    VENUE_API_SECRET: 'secret-canary',
  };
  const venue = keep(openVenue(loadConfig(environment, venueSettings), pino({ level: 'silent' })));
  expect((await venue.placeOrder(order, 'exit')).outcome).toBe('ACCEPTED');
  const [request] = server.requestsTo(routes.place);
  expect(request?.body.slice(0, beginning.length)).toBe(beginning);
});
