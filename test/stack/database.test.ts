import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { givenDatabase } from '../../src/stack/database.ts';
import { aFolder } from './a-folder.ts';

const url = 'postgresql://app:secret@db:5432/ratchet';

describe('givenDatabase', () => {
  test.each([{}, { DATABASE_URL: '' }])('is none without an address', (environment) => {
    expect(givenDatabase(environment)).toBeUndefined();
  });

  test('lets one role do both where no owner is named', () => {
    expect(givenDatabase({ DATABASE_URL: url })).toEqual({ url, ownerUrl: url });
    const ownerUrl = 'postgres://owner:secret@db/ratchet';
    expect(givenDatabase({ DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl })).toEqual({ url, ownerUrl });
  });

  test('reads the address from a file', () => {
    const file = join(aFolder(), 'url');
    writeFileSync(file, `${url}\n`);
    expect(givenDatabase({ DATABASE_URL_FILE: file })).toEqual({ url, ownerUrl: url });
  });

  test.each([{ DATABASE_URL: 'mysql://db' }, { DATABASE_URL: 'ratchet' }, { DATABASE_URL_FILE: '/no/such/file' }])(
    'refuses %j',
    (environment) => {
      expect(() => givenDatabase(environment)).toThrow(/DATABASE_URL/);
    },
  );
});
