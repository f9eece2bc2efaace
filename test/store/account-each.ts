import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import { aRequest, openAccount } from './fixtures.ts';

/** The database of the file of tests that imports this. */
export let database: TestDatabase;
/** An account of its own for each test, and the request of a trade on it that nobody has decided. */
export let account: string;
export let request: EntryRequest;

let count = 0;
beforeAll(async () => {
  database = await aDatabase({ poolMax: 40 });
});
afterAll(() => database.close());
beforeEach(async () => {
  count += 1;
  account = `account-${count}`;
  await openAccount(database.db, account);
  request = aRequest({ tradeId: `trade-${count}`, account });
});
