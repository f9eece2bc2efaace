import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { StackFailure } from './failure.ts';

/** What `npm start --` was asked for. */
export type Flags = {
  /** Ends after so many closed trades; without it, only Ctrl-C ends the stack. */
  readonly trades?: number;
  readonly prices?: string;
  readonly symbol?: string;
  readonly speed?: string;
  readonly seed?: string;
  readonly json: boolean;
  readonly bot: boolean;
  readonly data: string;
};

/**
 * Reads the flags. Undefined when only the help was asked for, and printed.
 *
 * @throws StackFailure (exit code 2) that names what is wrong with them.
 */
export function readFlags(args: readonly string[], defaultData: string): Flags | undefined {
  const program = new Command('npm start --')
    .description('Runs Ratchet in paper mode: Temporal, PostgreSQL, the paper venue, a worker, the API and a bot.')
    .option('--trades <n>', 'end after n closed trades, with a summary', whole(1))
    .option('--prices <file>', 'replay these prices: a CSV of trades or candles', existingFile)
    .option(
      '--symbol <symbols>',
      'their symbol, such as ETH/USDT; several, with commas, for prices that are generated',
      matching(/^[A-Z0-9]+\/[A-Z0-9]+(,[A-Z0-9]+\/[A-Z0-9]+)*$/, 'BASE/QUOTE'),
    )
    .option('--speed <n>', 'replay n times as fast', matching(/^(?!0+(\.0+)?$)\d+(\.\d+)?$/, 'a number above 0'))
    .option('--seed <n>', 'seed of whatever is random', matching(/^\d{1,9}$/, 'a whole number'))
    .option('--json', 'print lines of JSON and nothing else on standard output', false)
    .option('--no-bot', 'run the system without the example bot')
    .option('--data <dir>', 'the data folder', (text: string) => resolve(text), defaultData)
    .allowExcessArguments(false)
    .exitOverride();
  try {
    const flags = program.parse(args, { from: 'user' }).opts<Flags>();
    if (flags.trades === undefined || flags.bot) return flags;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new StackFailure('That is not how npm start is called.', '`npm start -- --help` lists the flags', 2);
  }
  throw new StackFailure('--trades needs the bot, and --no-bot leaves it out.', 'leave out one of the two', 2);
}

function whole(min: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d{1,9}$/.test(text) || value < min) throw new InvalidArgumentError(`Give a whole number from ${min}.`);
    return value;
  };
}

function matching(pattern: RegExp, wanted: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new InvalidArgumentError(`Give ${wanted}.`);
    return text;
  };
}

function existingFile(text: string): string {
  if (!existsSync(text)) throw new InvalidArgumentError('There is no such file.');
  return resolve(text);
}
