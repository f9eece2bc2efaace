import type { CrashPoint } from '../../src/observability/crash-point.ts';

export type OrderKind = 'LIMIT' | 'MARKET' | 'IOC' | 'stop';
export type Blow = 'kill' | 'pause';

export type CrashCase = {
  /** `CP4-LIMIT-kill`. */
  readonly id: string;
  readonly place: `CP${number}`;
  readonly order: OrderKind;
  readonly blow: Blow;
  readonly point: CrashPoint;
};

const orderKinds = ['LIMIT', 'MARKET', 'IOC', 'stop'] as const;

/** Where each of the sixteen strikes an entry. The exit that a stop sends passes two of them under another name. */
const points: readonly CrashPoint[] = [
  'beforeReserve',
  'afterReserve',
  'afterIntent',
  'afterBytes',
  'afterAnswer',
  'afterRecord',
  'beforeWorkflowTask',
  'betweenFillAndMonitor',
  'cancelSent',
  'afterTrigger',
  'afterExitAnswer',
  'duringReservationChange',
  'sealSent',
  'afterCheckpointFile',
  'afterDifferences',
  'afterHold',
];

const pointOf = (point: CrashPoint, order: OrderKind): CrashPoint =>
  order === 'stop' && point === 'afterAnswer' ? 'afterExitAnswer' : point;

/** All 128, kills and pauses in turn: a worker that is killed again too soon is started again more slowly. */
export const crashCases: readonly CrashCase[] = points.flatMap((point, i) =>
  orderKinds.flatMap((order) =>
    (['kill', 'pause'] as const).map((blow) => ({
      id: `CP${i + 1}-${order}-${blow}`,
      place: `CP${i + 1}` as const,
      order,
      blow,
      point: pointOf(point, order),
    })),
  ),
);

/** The cases that `--only` names, such as `CP4`, `CP4-LIMIT-kill` or `LIMIT`, separated by commas; all without it. */
export function casesNamed(only: string | undefined): readonly CrashCase[] {
  if (!only) return crashCases;
  const names = only.split(',');
  const isNamed = ({ id, place, order, blow }: CrashCase, name: string) =>
    id === name || place === name || order === name || blow === name || id.startsWith(`${name}-`);
  return crashCases.filter((each) => names.some((name) => isNamed(each, name)));
}
