import { controls } from './controls.ts';
import type { LimitEvaluation } from './limit.ts';
import type { LimitsRead } from './limits.ts';
import type { Standing } from './snapshot.ts';

/**
 * The limits that the book breaks as it stands, in the order of the controls, one for each symbol or group. What can't
 * be measured is among them.
 */
export const portfolioHealth = (standing: Standing, limits: LimitsRead): readonly LimitEvaluation[] =>
  controls.flatMap((control) => control.onBook?.(standing, limits) ?? []).filter(({ allowed }) => !allowed);
