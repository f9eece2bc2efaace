import { expect, test } from 'vitest';
import { faultTable } from './table.ts';

test('the fault table has its 86 rows, in order', () => {
  expect(faultTable.map(({ id }) => id)).toEqual(
    Array.from({ length: 86 }, (_, i) => `F${String(i + 1).padStart(2, '0')}`),
  );
});
