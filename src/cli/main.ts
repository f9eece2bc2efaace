#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

// Only what is needed to read the command line is loaded here: `--help` must not wait for a database driver.

/** What a command answers: its exit code. */
type Run = (options: never, ...args: never[]) => Promise<number>;

const program = new Command('ratchet')
  .description('Look at trades, enter and close them, halt and resume. Works on the database, also with Temporal down.')
  .addOption(new Option('--data <dir>', 'data folder of the stack').env('RATCHET_DATA').default('.ratchet'))
  .option('--json', 'print one JSON document (with --follow: JSON lines) and nothing else', false)
  .option('--actor <name>', 'who asks for it, for the record (default: the user of this system)')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText('after', exitCodeHelp())
  .exitOverride();

command(
  'enter [file]',
  'open a trade from a JSON request (a file, or - for standard input)',
  () => import('./enter.ts'),
);

command('trades', 'list trades, the newest first', () => import('./trades.ts'))
  .option('--live', 'only those that have not ended', false)
  .option('--phase <phase>', 'denied, placing, working, open, closing, closed or unfilled')
  .option('--strategy <name>', 'only this strategy')
  .option('--symbol <symbol>', 'only this symbol, such as BTC/USDT')
  .option('--limit <n>', 'at most so many', whole, 50);

command(
  'trade <tradeId>',
  'show one trade: decision, orders, fills, stop, P&L, records',
  () => import('./trade.ts'),
).option('--follow', 'go on printing its records until it has ended', false);

command('close <tradeId>', 'ask for the exit of a trade', () => import('./close.ts')).requiredOption(
  '--reason <text>',
  'why, for the record',
);

command(
  'resolve <clientOrderId>',
  'settle an order that was parked because nobody knows it',
  () => import('./resolve.ts'),
)
  .requiredOption('--reason <text>', 'why, for the record')
  .addOption(
    new Option('--verdict <verdict>', 'dead: the venue does not have it; look-again: ask the venue once more')
      .choices(['dead', 'look-again'])
      .makeOptionMandatory(),
  );

scoped(command('halt', 'block every new entry; open trades stay guarded', () => import('./halt.ts')))
  .requiredOption('--reason <text>', 'why, for the record')
  .addOption(
    new Option('--level <level>', 'frozen: also cancel working entries; flatten: also close every position')
      .choices(['entries-blocked', 'frozen', 'flatten'])
      .default('entries-blocked'),
  )
  .option('--for <minutes>', 'lift it by itself after so many minutes', whole)
  .option('--wait', 'stay until nothing is left to cancel or close, and say how far it is', false);

withKey(scoped(command('resume', 'lift a halt that an operator has set', () => import('./resume.ts'))))
  .requiredOption('--reason <text>', 'why, for the record')
  .addOption(
    new Option('--source <source>', 'throttle: switch a strategy on again that repeated itself')
      .choices(['operator', 'throttle'])
      .default('operator'),
  );

const approvals = program.command('approvals').description('what one person alone may not do');
command('list', 'requests that wait for a second person', () => import('./approvals-list.ts'), approvals);
withKey(
  command(
    'approve <id>',
    'approve a request, with a key of your own',
    () => import('./approvals-approve.ts'),
    approvals,
  ),
)
  .requiredOption('--hash <hash>', 'of the request, as the list shows it')
  .requiredOption('--reason <text>', 'why, for the record');

const limits = program.command('limits').description('limits of an account');
withKey(
  command(
    'set <file>',
    'put the limits of a file in force; loosening may need two people',
    () => import('./limits-set.ts'),
    limits,
  ),
)
  .option('--account <id>', 'which (default: the one of this stack)')
  .requiredOption('--reason <text>', 'why, for the record');

command('reconcile', 'compare the book with the venue now', () => import('./reconcile.ts')).option(
  '--full-day',
  'all orders and fills of the last 24 hours, not only those since the last run',
  false,
);
command(
  'corrections',
  'what differs between book and venue and waits for your decision',
  () => import('./reconcile-corrections.ts'),
).option('--limit <n>', 'at most so many', whole, 50);
command(
  'approve <correctionId>',
  'have a correction of the book applied',
  () => import('./reconcile-approve.ts'),
).requiredOption('--reason <text>', 'why, for the record');
command(
  'reject <correctionId>',
  'leave the book as it is, although it differs',
  () => import('./reconcile-reject.ts'),
).requiredOption('--reason <text>', 'why, for the record');

command('status', 'what runs, what is open, what is halted, what is wrong', () => import('./status.ts'));

const alerts = command('alerts', 'what needs a person, the gravest and oldest first', () => import('./alerts-list.ts'));
command(
  'resolve <id>',
  'end an alert that tells of what has happened; what lasts ends by itself',
  () => import('./alerts-resolve.ts'),
  alerts,
).requiredOption('--reason <text>', 'what was done about it, for the record');

const keys = program.command('keys').description('keys of the HTTP API');
command('list', 'every key and what it may do, also those that are revoked', () => import('./keys-list.ts'), keys);
command('create', 'make a key and print its secret, this once', () => import('./keys-create.ts'), keys)
  .requiredOption('--name <name>', 'what the record calls it; no name is used twice', keyName)
  .addOption(
    new Option('--scope <scopes...>', 'read: look; trade: also enter and close; operate: also halt, resolve and close')
      .choices(['read', 'trade', 'operate'])
      .makeOptionMandatory(),
  );
command('revoke <name>', 'refuse a key from now on', () => import('./keys-revoke.ts'), keys);

const audit = program.command('audit').description('the record of everything that happened');
command('verify', 'find any edited, missing, swapped or cut record', () => import('./audit-verify.ts'), audit)
  .option('--checkpoints <dir>', 'checkpoints kept outside the database (default: those of the data folder)')
  .option('--against-temporal', 'also against the checkpoints that lifecycles in Temporal were started with');

const sim = program.command('sim').description('play against the paper venue what goes wrong at a real one');
command('list', 'every scenario, what to expect of it, and its parameters', () => import('./sim-list.ts'), sim);
command(
  'trigger <scenario> [settings...]',
  'play a scenario; its parameters are given as --key value',
  () => import('./sim-trigger.ts'),
  sim,
).allowUnknownOption();
command(
  'show',
  'what is wrong at the paper venue, and what its fault rules have struck',
  () => import('./sim-show.ts'),
  sim,
);
command('clear', 'end every scenario and remove every fault rule', () => import('./sim-clear.ts'), sim);

/** A command whose code is loaded when it is run. It gets the options of its own and of the program, then its arguments. */
function command(usage: string, description: string, load: () => Promise<{ run: Run }>, parent = program): Command {
  return parent
    .command(usage)
    .description(description)
    .exitOverride()
    .action(async (...given: unknown[]) => {
      const self = given.at(-1) as Command;
      const { run } = await load();
      process.exitCode = await run(self.optsWithGlobals() as never, ...(given.slice(0, -2) as never[]));
    });
}

function scoped(target: Command): Command {
  const conflicts = (name: string) => ['all', 'account', 'strategy', 'symbol'].filter((other) => other !== name);
  return target
    .addOption(new Option('--all', 'all accounts (default)').conflicts(conflicts('all')))
    .addOption(new Option('--account <id>', 'one account').conflicts(conflicts('account')))
    .addOption(new Option('--strategy <name>', 'one strategy').conflicts(conflicts('strategy')))
    .addOption(new Option('--symbol <symbol>', 'one symbol, such as BTC/USDT').conflicts(conflicts('symbol')));
}

function withKey(target: Command): Command {
  return target.option('--key-file <file>', "the key of who asks (default: that of this machine's own tools)");
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1.');
  return Number(text);
}

function keyName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(text)) {
    throw new InvalidArgumentError('Give 1 to 64 letters, digits, ".", "_" or "-".');
  }
  return text;
}

function exitCodeHelp(): string {
  return `
Exit codes:
  0  done
  1  refused: a denied entry, a trade, order or key that is not in that state, a record that was tampered with,
     or, for status, something is wrong
  2  wrong usage or configuration; an audit that could not be read to its end
  3  the database or Temporal does not answer: try again; for audit verify: a signature is not to be trusted
  4  not done yet: it waits for another person's approval`;
}

// Whoever reads the output may leave, as `head` does: that is no mistake.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const { reportError } = await import('./output.ts');
    process.exitCode = reportError(error, program.opts<{ json: boolean }>().json);
  }
}
