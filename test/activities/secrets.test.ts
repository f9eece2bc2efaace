import { ApplicationFailure } from '@temporalio/common';
import { type Kysely, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { createFailureInterceptor } from '../../activities/failure-interceptor.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { createScrubber } from '../../src/observability/scrubber.ts';
import { aTheater, canceling, limitThatFills, limitThatRests, lookingUp, placing, status } from './stories.ts';

// A proxy that quotes what it was sent is the usual way in which a key gets into a record that nobody can take it out of.

const theater = aTheater();
const signature = '0123456789abcdef'.repeat(4);

async function everyRow(db: Kysely<never>): Promise<string> {
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(db);
  const dumps = await Promise.all(
    tables.rows.map(({ name }) => sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(db)),
  );
  return dumps.flatMap(({ rows }) => rows.map(({ row }) => row)).join('\n');
}

describe('F83: a venue that quotes the request in its refusal', () => {
  test.each([
    { code: -2010, http: 400, unresolved: 'park' },
    { code: -2015, http: 401, unresolved: 'park' },
    { code: -1022, http: 400, unresolved: 'park' },
    { code: -1001, http: 503, unresolved: 'resend' },
    { code: -1003, http: 429, unresolved: 'park' },
  ] as const)('with $code gets no secret into any row, and none into what the lifecycle hears', async (refusal) => {
    const bench = await theater.open({ unresolved: refusal.unresolved, simulator: { keys: canaries } });
    const quoting = status(refusal.http, {
      code: refusal.code,
      msg: `refused: X-MBX-APIKEY: ${canaries.apiKey} of ${canaries.apiSecret} in symbol=BTCUSDT&signature=${signature}`,
    });
    const faults = [placing('before_response', quoting), lookingUp('before_response', quoting, 1)];
    const rests = { ...limitThatRests, expireAfterMs: 5_000 };
    const outcomes = [
      await bench.trade({ entry: limitThatFills, faults, exitFaults: faults }),
      await bench.trade({ entry: rests, faults: [canceling('before_response', quoting)] }),
    ];
    const left = `${JSON.stringify(outcomes)}\n${await everyRow(theater.db() as never)}`;
    expect(left).toContain('[redacted]');
    for (const secret of [canaries.apiKey, canaries.apiSecret, signature]) expect(left).not.toContain(secret);
  });
});

const canaries = { apiKey: 'canary-venue-key-1c9d', apiSecret: 'canary-venue-secret-77aa' };

describe('F83: what an activity fails with', () => {
  const secret = 'canary-password-5e5e';
  const failing = async (error: unknown): Promise<unknown> => {
    const interceptor = createFailureInterceptor(createScrubber([secret]));
    const execution = interceptor.execute?.({ args: [], headers: {} }, () => Promise.reject(error));
    return execution?.catch((failure: unknown) => failure);
  };
  const socket = () => new Error(`connect postgresql://ratchet:${secret}@db failed`);

  test.each([
    { name: 'a defect', error: new TypeError(`no ${secret} of undefined`, { cause: socket() }) },
    { name: 'an error of the catalog', error: new RatchetError('VENUE_UNAVAILABLE', { detail: `at ${secret}` }) },
    { name: 'its cause', error: new RatchetError('DATABASE_UNAVAILABLE', {}, { cause: socket() }) },
    { name: 'a failure of Temporal', error: ApplicationFailure.retryable(`it was ${secret}`, 'ODD') },
  ])('$name leaves without the secret', async ({ error }) => {
    const failure = await failing(error);
    const told: string[] = [];
    for (let at = failure; at instanceof Error; at = at.cause) {
      told.push(at.message, at.stack ?? '', JSON.stringify((at as { details?: unknown }).details ?? null));
    }
    expect(told.join('\n')).toContain('[redacted]');
    expect(told.join('\n')).not.toContain(secret);
  });

  test('is still of its class: code and whether it may be tried again stay', async () => {
    expect(await failing(new RatchetError('VENUE_UNAVAILABLE', { venue: 'paper' }))).toMatchObject({
      type: 'VENUE_UNAVAILABLE',
      nonRetryable: false,
      details: [{ venue: 'paper' }],
    });
    const defect = new TypeError('x');
    expect(await failing(defect)).toBe(defect);
  });
});
