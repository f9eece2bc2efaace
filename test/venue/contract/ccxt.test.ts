import { createCcxtVenue } from '../../../src/venue/ccxt/adapter.ts';
import { aVenue } from '../support/scripted-venue.ts';
import { contractOf } from './contract-of.ts';

contractOf('the ccxt adapter', (servers) => aVenue({ ...servers, create: createCcxtVenue, requestTimeoutMs: 400 }));
