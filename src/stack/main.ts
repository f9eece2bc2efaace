import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeStackFile } from '../config/stack-file.ts';
import { ChildFault } from './child.ts';
import { unlessFull } from './child-log.ts';
import { type DataFolder, lockDataFolder, openDataFolder, stopLeftovers } from './data-folder.ts';
import { StackFailure } from './failure.ts';
import { type Flags, readFlags } from './flags.ts';
import { signalTo } from './processes.ts';
import { createReport, type Report } from './report.ts';
import { repositoryRoot } from './repository.ts';
import { botChild, type Site, stopOrder } from './services.ts';
import { type Start, type System, stackFileOf, startSystem } from './stack.ts';
import { describeStack } from './summary.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

/** Exit codes of shells for a program that a signal has ended. */
const endings = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The paper venue refuses other prices than those under which trades are open. */
const pricesChanged = 4;

/** npm passes a Ctrl-C on that the terminal has sent already; only a later one is a person who can't wait. */
const sameSignalMs = 1_000;

/**
 * Runs the stack until its bot ends, or somebody ends it. Resolves with the exit code: the bot's own (0: the trades
 * are done; 3: the prices ended first), 2 for wrong flags, 4 for other prices while trades are open, 128 and the
 * number of a signal, 1 for any other fault.
 */
export async function main(args: readonly string[]): Promise<number> {
  const report = createReport(args.includes('--json'));
  try {
    const root = repositoryRoot();
    const flags = readFlags(args, process.env['RATCHET_DATA'] || join(root, '.ratchet'));
    if (flags === undefined) return 0;
    refuseOtherVenue(process.env);
    const folder = openDataFolder(flags.data);
    const unlock = lockDataFolder(folder);
    try {
      return await runStack({ root, folder, environment: inherited(process.env, folder) }, flags, report);
    } finally {
      unlock();
    }
  } catch (error) {
    return tell(error, report);
  }
}

async function runStack(site: Site, flags: Flags, report: Report): Promise<number> {
  const startedAtMs = Date.now();
  let rewrite = () => {};
  const supervisor = createSupervisor(site.folder, report, () => rewrite());
  const ending = endRequested(supervisor, report);
  let isEnding = false;
  void ending.then(() => {
    isEnding = true;
  });
  const live = async (): Promise<number> => {
    await clearUp(site.folder, report);
    const start: Start = { site, flags, report, supervisor };
    const system = await startSystem(start);
    rewrite = () => unlessFull(() => writeStackFile(site.folder.path, stackFileOf(start, system, startedAtMs)));
    rewrite();
    report.result(...describeStack(start, system, startedAtMs));
    return flags.bot ? followBot(start, system) : ending;
  };
  // Whoever ends the stack while it starts makes the start fail, and that is no news then.
  const outcome = live().catch((error: unknown) => (isEnding ? ending : tell(error, report)));
  try {
    return await Promise.race([outcome, ending]);
  } finally {
    await supervisor.stop(stopOrder);
  }
}

async function clearUp(folder: DataFolder, report: Report): Promise<void> {
  const leftovers = await stopLeftovers(folder);
  if (leftovers.length > 0) report.note(`stopped what a killed start had left: ${leftovers.join(', ')}`);
}

async function followBot({ site, flags, supervisor }: Start, { paper }: System): Promise<number> {
  const settings = {
    RATCHET_DATA: site.folder.path,
    BOT_SYMBOL: paper.symbols[0],
    BOT_TRADES: flags.trades === undefined ? undefined : String(flags.trades),
    BOT_JSON: flags.json ? 'true' : undefined,
  };
  const print = (line: string) => {
    const stream = flags.json && !line.startsWith('{') ? process.stderr : process.stdout;
    stream.write(`${line}\n`);
  };
  const { code } = await supervisor.follow(botChild(site, settings, print), true);
  return code ?? 1;
}

/** Resolves with an exit code when a signal asks for the end. A second one kills what is still stopping. */
function endRequested(supervisor: Supervisor, report: Report): Promise<number> {
  // Whoever reads our output may leave; that is no reason to fall over before everything has stopped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  let askedAtMs: number | undefined;
  return new Promise((resolve) => {
    for (const [signal, code] of Object.entries(endings)) {
      process.on(signal, () => {
        if (askedAtMs !== undefined && Date.now() - askedAtMs > sameSignalMs) {
          report.warn('killing what has not stopped yet');
          for (const pid of supervisor.pids().values()) signalTo(-pid, 'SIGKILL');
        }
        askedAtMs ??= Date.now();
        resolve(code);
      });
    }
  });
}

/** Whoever names a venue must not end up at another one, were it only for paper. */
function refuseOtherVenue({ RATCHET_VENUE: venue = 'paper' }: NodeJS.ProcessEnv): void {
  if (venue === 'paper' || venue === '') return;
  throw new StackFailure(
    `RATCHET_VENUE is ${venue}, and this start brings its own venue, paper`,
    'unset RATCHET_VENUE, or start the processes one by one as docs/live.md says',
    2,
  );
}

/** What the children get of our environment: all but the ways to Temporal servers, venues and databases. */
function inherited(environment: NodeJS.ProcessEnv, folder: DataFolder): NodeJS.ProcessEnv {
  const foreign = /^(TEMPORAL_|VENUE_|RATCHET_VENUE(?!_ADAPTER)|DATABASE_)/;
  const own = Object.entries(environment).filter(([name]) => !foreign.test(name));
  // The profile in the user's own configuration file would bring its address and keys along.
  const profile = join(folder.run, 'temporal.toml');
  writeFileSync(profile, '[profile.default]\n');
  return { ...Object.fromEntries(own), TEMPORAL_CONFIG_FILE: profile };
}

function tell(error: unknown, report: Report): number {
  if (error instanceof StackFailure) {
    report.warn(`${error.message}\n    To fix: ${error.remedy}.`);
    return error.exitCode;
  }
  if (error instanceof ChildFault) {
    report.warn(`${error.message}. The end of its log:\n${error.logTail}`);
    return error.exitCode === pricesChanged ? pricesChanged : 1;
  }
  report.warn(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}
