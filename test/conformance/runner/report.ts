import type { Judged, Verdict } from './replay.ts';

type Counts = { passed: number; failed: number; skipped: number; readonly reasons: Map<string, number> };

/** The table of topics, then every failed case with what was wanted and what came, as lines of text. */
export function reportOf(judged: readonly Judged[]): readonly string[] {
  const topics = countByTopic(judged);
  const width = Math.max(5, ...[...topics.keys()].map((topic) => topic.length));
  const row = (topic: string, counts: Counts): string =>
    `${topic.padEnd(width)} ${pad(counts.passed)} ${pad(counts.failed)} ${pad(counts.skipped)}  ${reasonsOf(counts)}`;
  return [
    `${'topic'.padEnd(width)} ${pad('passed')} ${pad('failed')} ${pad('skipped')}`,
    ...[...topics].map(([topic, counts]) => row(topic, counts).trimEnd()),
    row('total', totalOf(topics)).trimEnd(),
    ...judged.flatMap(describeFailure),
  ];
}

export const hasFailures = (judged: readonly Judged[]): boolean =>
  judged.some(({ verdict }) => verdict.outcome === 'failed');

const pad = (cell: string | number): string => String(cell).padStart(7);

function countByTopic(judged: readonly Judged[]): Map<string, Counts> {
  const topics = new Map<string, Counts>();
  for (const { topic, verdict } of judged) {
    const counts = topics.get(topic) ?? { passed: 0, failed: 0, skipped: 0, reasons: new Map() };
    topics.set(topic, counts);
    countOne(counts, verdict);
  }
  return topics;
}

function countOne(counts: Counts, verdict: Verdict): void {
  counts[verdict.outcome] += 1;
  if (verdict.outcome !== 'skipped') return;
  counts.reasons.set(verdict.reason, (counts.reasons.get(verdict.reason) ?? 0) + 1);
}

const reasonsOf = ({ reasons }: Counts): string =>
  [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');

const totalOf = (topics: Map<string, Counts>): Counts => {
  const of = (outcome: 'passed' | 'failed' | 'skipped'): number =>
    [...topics.values()].reduce((total, counts) => total + counts[outcome], 0);
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped'), reasons: new Map() };
};

function describeFailure({ topic, id, verdict }: Judged): readonly string[] {
  if (verdict.outcome !== 'failed') return [];
  return verdict.differences.map(({ step, key, want, got }) => {
    const place = [step === null ? '' : ` step ${step}`, key === '' ? '' : ` ${key}`].join('');
    return `FAILED ${topic} ${id}${place}: wanted ${JSON.stringify(want)}, got ${JSON.stringify(got)}`;
  });
}
