import { aVenue } from '../support/scripted-venue.ts';
import { contractOf } from './contract-of.ts';

contractOf('the Binance adapter', (servers) => aVenue({ ...servers, requestTimeoutMs: 150 }));
