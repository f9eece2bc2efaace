import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createDatabase, type Db } from '../../src/store/database.ts';
import { applicationRole, templateDatabase, withDatabase } from '../support/postgres-names.ts';
import { drawPlan, type Ground, type LayerName, playPlan, type SwarmPlan, shrinkPlan } from './layers.ts';
import type { Played } from './played.ts';
import { arenas } from './processes-stack.ts';
import { keepSeed } from './seeds.ts';

// One process of a swarm: it plays what it is sent, one after the other, on databases of its own.

/** A seed to draw, or a plan to play as it is. */
export type Job =
  | { readonly layer: LayerName; readonly seed: number; readonly commit: string }
  | { readonly name: string; readonly plan: SwarmPlan };

export type JobDone = {
  readonly name: string;
  readonly layer: LayerName;
  readonly played: Played;
  /** The file of a seed that failed, and what is left of it broke. */
  readonly kept?: { readonly file: string; readonly broke: readonly string[] };
};

/** The book of a database grows with each seed, and judging reads all of it. */
const playsPerDatabase = 10;
const destroyWithinMs = 2_000;

const serverUrl = process.argv[2] ?? '';
const stacks = arenas();
const ground = groundOn(serverUrl);
let isWorking = false;
process.on('message', (job: Job) => {
  isWorking = true;
  void carryOut(job).then((done) => {
    isWorking = false;
    process.send?.(done);
  });
});
// Ctrl-C is for whoever asks: then no more jobs come.
process.on('SIGINT', () => undefined);
// Whoever asked has no more jobs, or has died.
process.on('disconnect', () => (isWorking ? process.exit(1) : void end()));
process.send?.('ready');

/** Nobody hears any more what the last stack still breaks, but that it does. */
async function end(): Promise<void> {
  const faults = await stacks.close();
  for (const fault of faults) process.stderr.write(`at the end of the last stack: ${fault}\n`);
  process.exit(faults.length === 0 ? 0 : 1);
}

async function carryOut(job: Job): Promise<JobDone> {
  const plan = 'plan' in job ? job.plan : drawPlan(job.layer, job.seed);
  const played = await playPlan(plan, ground);
  const done = { name: 'plan' in job ? job.name : `${plan.layer} ${plan.seed}`, layer: plan.layer, played };
  if ('plan' in job || played.faults.length === 0) return done;
  const small = await shrinkPlan(plan, ground);
  const { faults } = small === plan ? played : await playPlan(small, ground);
  // What fails by chance alone may have passed just now; it is kept as it first failed.
  const broke = faults.length > 0 ? faults : played.faults;
  return { ...done, kept: { file: keepSeed({ plan: small, broke, commit: job.commit }), broke } };
}

/** A fresh copy of the migrated template every so often; the one before is dropped. */
function groundOn(url: string): Ground {
  let plays = 0;
  let current: { readonly name: string; readonly db: Db } | undefined;
  const asOwner = async (statement: string): Promise<void> => {
    const client = new pg.Client(url);
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  const renew = async (): Promise<Db> => {
    const old = current;
    const name = `swarm_${randomBytes(8).toString('hex')}`;
    await asOwner(`create database ${name} template ${templateDatabase}`);
    // Nothing here stops the server, so nothing is proved by waiting for its disk.
    await asOwner(`alter database ${name} set synchronous_commit to off`);
    const address = new URL(withDatabase(url, name));
    address.username = applicationRole.role;
    address.password = applicationRole.password;
    const db = createDatabase({ url: address.href, applicationName: 'swarm', poolMax: 10, onError: () => undefined });
    current = { name, db };
    // A connection that a dead attempt still holds would be waited for for ever; the drop ends it.
    if (old !== undefined) await Promise.race([old.db.destroy(), delay(destroyWithinMs)]);
    if (old !== undefined) await asOwner(`drop database ${old.name} with (force)`);
    return db;
  };
  return {
    arenas: () => stacks,
    nextAccount: () => `swarm-${plays}`,
    async db() {
      plays += 1;
      return current === undefined || plays % playsPerDatabase === 0 ? renew() : current.db;
    },
  };
}
