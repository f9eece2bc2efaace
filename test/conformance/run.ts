import { parseArgs } from 'node:util';
import { loadCases } from './runner/cases.ts';
import { findAdapter, type Judged, judge } from './runner/replay.ts';
import { hasFailures, reportOf } from './runner/report.ts';

// npm run conformance -- --cases DIR [--topic NAME]
const { values } = parseArgs({
  options: { cases: { type: 'string', default: '../shared/cases' }, topic: { type: 'string' } },
});

const cases = loadCases(values.cases, values.topic);
if (cases.length === 0) throw new Error(`No cases in ${values.cases}${values.topic ? ` of ${values.topic}` : ''}`);

const judged: Judged[] = [];
for (const one of cases) judged.push(await judge(one, await findAdapter(import.meta.dirname, one.topic)));
for (const line of reportOf(judged)) console.log(line);
process.exitCode = hasFailures(judged) ? 1 : 0;
