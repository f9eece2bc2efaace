import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { againstBare } from './against-bare.ts';
import { crashFigures } from './crashing.ts';
import { haltFigures } from './halting.ts';
import { pureFigures } from './pure.ts';
import { type Figure, tableOf } from './statistics.ts';
import { tripFigures } from './tripping.ts';

// `npm run bench`: the product against bare Temporal in one run, and its figures with their n, as a table. `--only` picks
// some: pure, crash, stack, halts, breaker.
const benches: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  pure: async () => pureFigures(),
  crash: () => crashFigures(300),
  stack: againstBare,
  halts: () => haltFigures(100),
  breaker: () => tripFigures(20),
};

const { values } = parseArgs({ options: { only: { type: 'string', default: Object.keys(benches).join() } } });
const chosen = values.only.split(',');
const unknown = chosen.filter((name) => !(name in benches));
if (unknown.length > 0) throw new Error(`--only takes ${Object.keys(benches).join()}, not ${unknown.join()}`);
const figures: Figure[] = [];
for (const name of chosen) figures.push(...((await benches[name]?.()) ?? []));
console.log(`\nNode ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}\n`);
console.log(tableOf(figures));
