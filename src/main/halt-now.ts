import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { sweepOnce } from '../../activities/trading-state/cancel-sweep.ts';
import type { SweepDependencies } from '../../activities/trading-state/sweep-look.ts';
import { loadConfig, orderTimings } from '../config/config.ts';
import { spoolHalt } from '../config/halt-spool.ts';
import { spooledHalt } from '../contracts/schemas/spooled-halt.ts';
import { createMetrics } from '../observability/metrics.ts';
import { createDatabase } from '../store/database.ts';
import { sweepWithoutDatabase } from './halt-without-database.ts';
import { endWithReason } from './process-life.ts';
import { openRoom, openVenue, venueSettings } from './venues.ts';

// Started by `ratchet halt` where nobody else carries a freeze out: Temporal or every worker is away, or the database is.
// Says each look as a line of JSON, and ends when nothing is left.

const orders = z.discriminatedUnion('mode', [
  z.object({ mode: z.literal('sweep'), holdVersion: z.string(), venue: z.string() }),
  z.object({ mode: z.literal('without-database'), halt: spooledHalt, giveUpAfterMs: z.int() }),
]);

const settleMarginMs = 250;

endWithReason();
const order = orders.parse(JSON.parse(process.argv[2] ?? ''));
const logger = pino({ level: 'silent' });
const say = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);

if (order.mode === 'sweep') await sweep(order);
else await sweepVenueAlone(order);

async function sweep({ holdVersion, venue: name }: { holdVersion: string; venue: string }): Promise<void> {
  const config = loadConfig(process.env, ['DATABASE_URL', ...venueSettings]);
  const db = createDatabase({
    url: config.DATABASE_URL.reveal(),
    applicationName: 'ratchet-halt',
    poolMax: 4,
    onError: () => {},
  });
  const venue = openVenue(config, logger);
  const room = openRoom(venue, config, logger, createMetrics(new Registry()));
  const deps: SweepDependencies = {
    db,
    rooms: new Map([[venue.name, room]]),
    timings: orderTimings(config),
    holder: `halt-${process.pid}`,
    now: Date.now,
    sleep: (ms, signal) => setTimeout(ms, undefined, signal && { signal }),
    logger,
  };
  for (;;) {
    const progress = await sweepOnce(deps, { holdVersion, venue: name });
    say(progress);
    if (progress.isEnded) break;
    await setTimeout(Math.max(50, progress.nextLookAtMs - Date.now()));
  }
  await room.prices.close();
  await venue.close();
  await db.destroy();
}

async function sweepVenueAlone(asked: Extract<z.output<typeof orders>, { mode: 'without-database' }>): Promise<void> {
  const { halt, giveUpAfterMs } = asked;
  const config = loadConfig(process.env, venueSettings);
  const venue = openVenue(config, logger);
  const swept = await sweepWithoutDatabase({
    venue,
    ...(halt.scope.kind === 'symbol' && { symbol: halt.scope.id }),
    settleMs: config.RATCHET_RECV_WINDOW_MS + settleMarginMs,
    giveUpAtMs: Date.now() + giveUpAfterMs,
    now: Date.now,
    sleep: (ms) => setTimeout(ms),
    onProgress: say,
  });
  await venue.close();
  const { canceled, left, isClear } = swept;
  const sweep = { venue: venue.name, canceled: [...canceled], left: [...left], isClear, endedAtMs: Date.now() };
  spoolHalt(config.RATCHET_DATA, { ...halt, sweep });
}
