import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gather } from '../support/evidence.ts';
import { judge } from '../support/oracle.ts';
import { aDataFolder, type Stack, startStack } from '../support/stack.ts';
import { aRequest, enter, openTrade, phaseOf, untilPhase, untilSettled } from '../support/trading.ts';
import { until } from '../support/until.ts';

// The database is gone for a while, and then its disk is full. What can't be recorded is not sent; what was recorded
// is still there afterwards, and goes on.
const environment = { RATCHET_BREAKER_FAILURE_THRESHOLD: '1000' };
const data = aDataFolder();
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ data, environment });
}, 120_000);
afterAll(() => stack?.stop(), 60_000);

const isWhole = async () => expect(judge(await gather(stack))).toEqual([]);

/** The codes with which whoever asks is told that nothing is decided. */
const undecided = /^(UNDECIDED|DATABASE_\w+|API_UNAVAILABLE)$/;

describe('F60: while PostgreSQL is gone', () => {
  const held = 'gone-held';
  const refused = aRequest('gone-refused', { validForMs: 1_000 });

  test('an entry is not decided, and nothing of it reaches the venue', async () => {
    await openTrade(stack, held);
    const { orders } = await stack.venue.ledger();
    await stack.restarted('postgres', async () => {
      // A supervisor that is stopped starts nothing again: the database stays away for as long as the test wants it.
      stack.supervisor.kill('SIGSTOP');
      try {
        process.kill(stack.pidOf('postgres'), 'SIGKILL');
        const refusal = await stack.client.enter(refused).catch((error: unknown) => error);
        expect(refusal).toMatchObject({ code: expect.stringMatching(undecided) });
        await stack.venue.tick('94');
        expect((await stack.venue.ledger()).orders).toHaveLength(orders.length);
      } finally {
        stack.supervisor.kill('SIGCONT');
      }
    });
  });

  test('nothing is lost: once it is back the entry is denied for its age, and the position is closed', async () => {
    expect(await untilSettled(stack, refused.tradeId)).toBe('denied');
    const decision = await stack.client.enter(refused);
    expect(decision).toMatchObject({
      reasons: expect.arrayContaining([expect.objectContaining({ code: 'REQUEST_EXPIRED' })]),
    });
    expect(await untilSettled(stack, held)).toBe('closed');
    await isWhole();
  });
});

// Only root may mount a small disk.
describe.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
  'F62: while the disk of PostgreSQL is full',
  () => {
    const held = 'full-held';
    const disk = mkdtempSync(join(tmpdir(), 'ratchet-disk-'));
    let entered = 0;

    beforeAll(async () => {
      await stack.venue.tick('100');
      await openTrade(stack, held);
      await stack.interrupt();
      await stack.disconnect();
      moveToSmallDisk();
      stack = await startStack({ data, environment });
    }, 120_000);
    afterAll(async () => {
      await stack.stop();
      execFileSync('/bin/umount', [disk]);
      rmSync(disk, { recursive: true });
    }, 60_000);

    function moveToSmallDisk(): void {
      execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=755', 'tmpfs', disk]);
      const place = join(data, 'postgres');
      execFileSync('mv', [place, disk]);
      symlinkSync(join(disk, 'postgres'), place);
    }

    const filler = join(disk, 'filler');

    function fillDisk(): void {
      writeFileSync(filler, '');
      for (const bytes of [1_048_576, 4_096]) {
        try {
          for (;;) appendFileSync(filler, Buffer.alloc(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENOSPC' });
        }
      }
    }

    test('entries are decided as long as there is room to record them, and then not any more', async () => {
      fillDisk();
      const refusal = await until(
        'an entry is not decided',
        async () => {
          entered += 1;
          const outcome = await enter(stack, `full-${entered}`, { validForMs: 1_000 }).catch((error: unknown) => error);
          return outcome instanceof Error && outcome;
        },
        120_000,
      );
      expect(refusal).toMatchObject({ code: expect.stringMatching(undecided) });
    });

    test('nothing is lost: once there is room the position is closed, and every entry has its end', async () => {
      await stack.venue.tick('94');
      rmSync(filler);
      expect(await untilSettled(stack, held)).toBe('closed');
      for (let i = 1; i <= entered; i += 1) {
        await untilPhase(stack, `full-${i}`, 'closed', 'denied', 'unfilled', 'open');
        // Bought only after the price had fallen: it falls once more.
        if ((await phaseOf(stack, `full-${i}`)) === 'open') await stack.venue.tick('93');
        await untilSettled(stack, `full-${i}`);
      }
      await isWhole();
    });

    test('and entries go on', async () => {
      await stack.venue.tick('100');
      await openTrade(stack, 'full-after');
      await stack.venue.tick('94');
      expect(await untilSettled(stack, 'full-after')).toBe('closed');
      await isWhole();
      expect(stack.ratchet('audit', 'verify')).toMatchObject({ code: 0, output: expect.stringContaining('OK: ') });
    });
  },
);
