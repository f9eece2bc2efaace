import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../src/store/migrate.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
});
afterAll(() => database.close());

describe('the schema', () => {
  test('is applied once: a second run has nothing to do', async () => {
    expect(await migrate({ ownerUrl: database.ownerUrl })).toEqual([]);
  });
});
