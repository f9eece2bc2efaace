import { describe, expect, test } from 'vitest';
import { describe as describeError, type ErrorCode, errorCatalog, RatchetError } from '../../src/domain/errors.ts';
import { expectGeneratedDoc, tableOf } from '../support/generated-doc.ts';

const codes = Object.keys(errorCatalog) as ErrorCode[];

describe('the error catalog', () => {
  test.each(codes)('%s has a name, a summary and a remedy that a person can act on', (code) => {
    const { summary, remedy } = errorCatalog[code];
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
    expect(summary).toMatch(/^\S.*\.$/);
    expect(remedy).toMatch(/^\S.*\.$/);
    expect(remedy).not.toBe(summary);
  });

  test('says each thing once', () => {
    const summaries = codes.map((code) => errorCatalog[code].summary);
    expect(new Set(summaries).size).toBe(summaries.length);
  });

  test('an error reads as code, summary, numbers and remedy, in that order', () => {
    const error = new RatchetError('VENUE_UNAVAILABLE', { venue: 'paper', attempts: 3 });
    const { summary, remedy } = errorCatalog.VENUE_UNAVAILABLE;
    expect(error.message).toBe(`VENUE_UNAVAILABLE: ${summary} (venue=paper, attempts=3) To fix: ${remedy}`);
    expect(describeError('VENUE_UNAVAILABLE')).toBe(`VENUE_UNAVAILABLE: ${summary} To fix: ${remedy}`);
    expect(error.retryable).toBe(true);
  });

  test('is the table in docs/errors.md', () => {
    const rows = codes.sort().map((code) => {
      const { summary, remedy, retryable } = errorCatalog[code];
      return [`\`${code}\``, summary, remedy, retryable ? 'yes' : ''];
    });
    const table = tableOf(['code', 'what happened', 'what to do', 'trying again can help'], rows);
    expectGeneratedDoc('errors.md', `# Errors\n\n${introduction}\n\n${table}`);
  });
});

const introduction = `Every refusal and operating error that reaches a person, by its code. The numbers come with the occurrence:
\`CODE: what. (key=value) To fix: …\`. This page is generated from \`src/domain/errors.ts\`.`;
