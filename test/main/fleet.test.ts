import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildIdOf } from '../../src/main/build-id.ts';
import { joinFleet } from '../../src/main/fleet.ts';
import { holdWorkerLease, type WorkerSelf } from '../../src/store/fleet/worker-leases.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
const joined: { stop: () => Promise<void> }[] = [];
beforeAll(async () => {
  database = await aDatabase();
});
afterEach(async () => {
  await Promise.all(joined.splice(0).map((fleet) => fleet.stop()));
  await database.db.deleteFrom('worker_lease').execute();
});
afterAll(() => database.close());

const aWorker = (worker: string, changed: Partial<WorkerSelf> = {}): WorkerSelf => ({
  worker,
  build: 'aaaa',
  writesKey: null,
  readsKeys: [],
  ...changed,
});

async function joins(
  self: WorkerSelf,
  { policy = 'single', leaseMs = 60_000, sleep = async () => undefined }: JoinOptions = {},
) {
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => lines.push(line) });
  const fleet = await joinFleet({ db: database.db, self, policy, logger, leaseMs, sleep });
  joined.push(fleet);
  return { ...fleet, said: () => lines.join('') };
}
type JoinOptions = {
  readonly policy?: 'single' | 'any';
  readonly leaseMs?: number;
  readonly sleep?: (ms: number) => Promise<unknown>;
};

describe('F55: two builds at once', () => {
  test('one stale worker of eight is refused, with both builds and the name of the other worker', async () => {
    for (let i = 1; i <= 7; i += 1) await joins(aWorker(`w${i}`));
    await expect(joins(aWorker('w8', { build: 'bbbb' }))).rejects.toMatchObject({
      code: 'WORKER_BUILD_DIFFERS',
      context: { build: 'bbbb', otherBuild: 'aaaa', other: 'w1' },
    });
    const leases = await database.db.selectFrom('worker_lease').select('worker').execute();
    expect(leases).toHaveLength(7);
  });

  test('of two that start at the same moment one is at work', async () => {
    const lease = { leaseMs: 60_000, singleBuild: true };
    const builds = Array.from({ length: 8 }, (_, i) => aWorker(`racer-${i}`, { build: `build-${i}` }));
    const outcomes = await Promise.all(builds.map((self) => holdWorkerLease(database.db, self, lease)));
    expect(outcomes.filter(({ outcome }) => outcome === 'held')).toHaveLength(1);
  });

  test('with the policy any both are at work, and the log says so', async () => {
    await joins(aWorker('w1'));
    const other = await joins(aWorker('w2', { build: 'bbbb' }), { policy: 'any' });
    expect(JSON.parse(other.said())).toMatchObject({ build: 'bbbb', other: 'w1', otherBuild: 'aaaa' });
  });

  test('the next build starts at once when the last worker has stopped, and after its lease when it was killed', async () => {
    const last = await joins(aWorker('w1'));
    await last.stop();
    await (await joins(aWorker('w2', { build: 'bbbb' }))).stop();

    await holdWorkerLease(database.db, aWorker('killed'), { leaseMs: 400, singleBuild: true });
    await joins(aWorker('w3', { build: 'cccc' }), { leaseMs: 400, sleep: delay });
  });

  test('a worker that was not heard for so long that another build took its place has to end', async () => {
    const slow = await joins(aWorker('slow'), { leaseMs: 300 });
    const leased_until = new Date(Date.now() + 3_600_000);
    await database.db.updateTable('worker_lease').set({ worker: 'another', build: 'bbbb', leased_until }).execute();
    expect(await slow.refused).toMatchObject({ code: 'WORKER_BUILD_DIFFERS', context: { other: 'another' } });
  });
});

describe('F84: workers with other payload keys', () => {
  const old = { writesKey: 'old:1', readsKeys: ['old:1'] };
  const young = { writesKey: 'young:2', readsKeys: ['young:2'] };
  test.each([
    { name: 'one without any beside one that encrypts', first: old, second: {}, key: 'old:1' },
    { name: 'one that encrypts beside one that can not read it', first: {}, second: old, key: 'old:1' },
    { name: 'one that lacks the old key', first: old, second: young, key: 'old:1' },
    {
      name: 'one that writes with a new key before all others can read it',
      first: old,
      second: { writesKey: 'young:2', readsKeys: ['young:2', 'old:1'] },
      key: 'young:2',
    },
    {
      name: 'one with another key under the same id',
      first: old,
      second: { writesKey: 'old:9', readsKeys: ['old:9'] },
      key: 'old:1',
    },
  ])('$name does not start', async ({ first, second, key }) => {
    await joins(aWorker('first', first));
    await expect(joins(aWorker('second', second))).rejects.toMatchObject({
      code: 'WORKER_KEYS_DIFFER',
      context: { key, other: 'first' },
    });
  });

  test('a rotation in two steps is never refused', async () => {
    const steps = [
      { writesKey: 'old:1', readsKeys: ['old:1', 'young:2'] },
      { writesKey: 'young:2', readsKeys: ['young:2', 'old:1'] },
    ];
    let workers = [await joins(aWorker('a0', old)), await joins(aWorker('b0', old))];
    for (const [i, step] of steps.entries()) {
      const replaced = [];
      for (const [j, worker] of workers.entries()) {
        await worker.stop();
        replaced.push(await joins(aWorker(`${j}-${i}`, step)));
      }
      workers = replaced;
    }
  });
});

describe('F55: the id of a build', () => {
  const aBuild = (files: Readonly<Record<string, string>>): string => {
    const folder = mkdtempSync(join(tmpdir(), 'ratchet-build-'));
    mkdirSync(join(folder, 'src'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  };
  const files = { 'workflow-bundle.js': 'run()\n//# sourceMappingURL=data:x', 'src/a.js': 'a()', 'src/a.d.ts': 'a' };

  test('is the same wherever it was built, and another one when any file that runs is another', () => {
    const folder = aBuild(files);
    const copy = mkdtempSync(join(tmpdir(), 'ratchet-build-'));
    cpSync(folder, copy, { recursive: true });
    const id = buildIdOf(folder);
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(buildIdOf(copy)).toBe(id);
    expect(buildIdOf(aBuild({ ...files, 'workflow-bundle.js': 'run()\n//# sourceMappingURL=data:y' }))).toBe(id);
    expect(buildIdOf(aBuild({ ...files, 'workflow-bundle.js': 'walk()' }))).not.toBe(id);
    expect(buildIdOf(aBuild({ ...files, 'src/a.js': 'b()' }))).not.toBe(id);
    expect(buildIdOf(aBuild({ ...files, 'src/b.js': '' }))).not.toBe(id);
  });
});
