import { join, relative } from 'node:path';
import Table from 'cli-table3';
import type { Start, System } from './stack.ts';

/** What runs where, how to look at it, how to stop it and what to try: for programs, and as lines for people. */
export function describeStack({ site, flags }: Start, system: System, startedAtMs: number): [object, string[]] {
  const { api, temporal, database, paper, workerMetricsUrl } = system;
  const tookMs = Date.now() - startedAtMs;
  const data = relative(process.cwd(), site.folder.path) || '.';
  const isDefault = site.folder.path === join(site.root, '.ratchet');
  const ratchet = `${isDefault ? '' : `RATCHET_DATA=${data} `}npm run ratchet --`;

  const table = new Table({ style: { head: [], border: [], compact: true }, chars: borderless });
  table.push(
    ['API', api.url, 'its contract is at /docs'],
    ['Temporal UI', temporal.uiUrl, 'every trade as a workflow: open it in a browser'],
    ['Temporal', temporal.address, 'namespace default'],
    ['PostgreSQL', new URL(database.url).host, `database ${new URL(database.url).pathname.slice(1)}`],
    ['paper venue', paper.url, `${paper.symbols.join(', ')}; control at ${paper.controlUrl}`],
    ['worker', workerMetricsUrl, 'metrics'],
    ['data, logs', data, join(data, 'logs')],
    ['to stop', 'Ctrl-C', 'the next start goes on where this one stopped'],
    ['try next', `${ratchet} status`, 'what is open, halted, in doubt'],
    ['', `${ratchet} trades`, 'the trades and how they went'],
    ['', `${ratchet} audit verify`, 'that nobody has edited the record'],
  );
  const seconds = (tookMs / 1000).toFixed(1);
  const lines = [`Ratchet runs in PAPER mode: no real money. Ready in ${seconds} s.`, table.toString()];
  const facts = { event: 'ready', mode: 'paper', tookMs, data: site.folder.path, bot: flags.bot };
  return [{ ...facts, api: api.url, temporal, paper, database: new URL(database.url).host, workerMetricsUrl }, lines];
}

const borderless = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
    .map((name) => [name, ''])
    .concat([['middle', ' ']]),
);
