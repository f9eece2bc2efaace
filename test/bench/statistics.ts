/** The value below which `share` of the samples lie, by the nearest-rank method. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export type Figure = {
  readonly name: string;
  readonly goal: string;
  readonly measured: string;
  readonly n: number;
  /** Null where there is no goal to meet. */
  readonly isMet: boolean | null;
};

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
export const times = (value: number): string => `${value.toFixed(2)}x`;

/** A table in Markdown, as docs/benchmarks.md holds it. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, goal, measured, n, isMet }) => {
    const verdict = isMet === null ? '' : isMet ? 'met' : '**missed**';
    return `| ${name} | ${measured} | ${n.toLocaleString('en-US')} | ${goal} | ${verdict} |`;
  });
  return ['| what | measured | n | goal | |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}
