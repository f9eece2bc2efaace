import { setTimeout as delay } from 'node:timers/promises';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { aFlood, entriesSeen, noneOf, type SentEntry, spreadOf } from './flooding.ts';
import type { Figure } from './statistics.ts';

/** From the failure that opened the breaker until it let probes through. */
type Opening = { readonly openedAtMs: number; readonly halfOpenAtMs: number };

const failureThreshold = 5;
const environment = {
  RATCHET_BREAKER_FAILURE_THRESHOLD: String(failureThreshold),
  RATCHET_BREAKER_FAILURE_WINDOW_MS: '3000',
  RATCHET_BREAKER_OPEN_TIMEOUT_MS: '1500',
};

/**
 * Two workers send entries as fast as they can, and the venue answers as many of them with 503 as open the breaker. What
 * counts is the venue's ledger: when the last entry came in before the breaker let probes through again.
 */
export async function tripFigures(trips: number): Promise<readonly Figure[]> {
  const { stack, ebb, stop } = await aFlood(environment);
  try {
    for (let n = 1; n <= trips; n += 1) await tripOnce(stack, n);
    const rate = await ebb();
    return figuresOf(await openingsOf(stack), await entriesSeen(stack), rate);
  } finally {
    await stop();
  }
}

/** The venue does what it is asked and says that it has failed, so that its own look-up settles the order at once. */
async function tripOnce(stack: Stack, n: number): Promise<void> {
  await stack.venue.clearPlan();
  await stack.venue.plan({
    on: { method: 'POST', path: '/api/v3/order' },
    phase: 'before_response',
    do: { action: 'status', code: 503, body: { code: -1000, msg: 'bench' } },
    times: failureThreshold,
  });
  await until('the breaker has opened', async () => (await tripsOf(stack)) >= n);
  // Only an order that is filled closes it again.
  await stack.venue.tick('99.7');
  await until('it has closed', async () => (await statusOf(stack)) === 'CLOSED');
  await stack.venue.tick('100');
  await delay(500);
}

const tripsOf = async ({ sql }: Stack): Promise<number> =>
  Number((await sql<{ n: string }>("select count(*) as n from audit_event where event_type = 'BreakerTripped'"))[0]?.n);

const statusOf = async ({ sql }: Stack): Promise<string | undefined> =>
  (await sql<{ status: string }>("select state->>'status' as status from breaker"))[0]?.status;

async function openingsOf({ sql }: Stack): Promise<readonly Opening[]> {
  const told = await sql<{ type: string; atMs: number }>(
    `select event_type as type, (body::jsonb->>'atMs')::float8 as "atMs" from audit_event
     where event_type in ('BreakerTripped', 'BreakerHalfOpened') order by insert_no`,
  );
  return told.flatMap(({ type, atMs }, index) =>
    type === 'BreakerTripped' ? [{ openedAtMs: atMs, halfOpenAtMs: told[index + 1]?.atMs ?? Infinity }] : [],
  );
}

function figuresOf(openings: readonly Opening[], entries: readonly SentEntry[], rate: number): readonly Figure[] {
  const late = openings.map(({ openedAtMs, halfOpenAtMs }) =>
    entries
      .filter(({ receivedAtMs }) => receivedAtMs > openedAtMs && receivedAtMs < halfOpenAtMs)
      .map(({ receivedAtMs }) => receivedAtMs - openedAtMs),
  );
  const tooLate = late.flat().filter((lateness) => lateness > 1_000);
  return [
    spreadOf(
      `failure that opens the breaker -> last entry at the venue (2 workers, ${rate.toFixed(0)} entries a second)`,
      late.map((some) => Math.max(0, ...some)),
      250,
    ),
    noneOf('entries that came to the venue later than 1 s after the breaker opened', tooLate.length, entries.length),
  ];
}
