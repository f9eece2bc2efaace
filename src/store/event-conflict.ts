import type { RatchetError } from '../domain/errors.ts';
import { raiseAlert } from './alerts.ts';
import type { Db } from './database.ts';

/**
 * Raises the alert for two different things under one event id. In a transaction of its own: the one that met the conflict
 * is lost.
 */
export function raiseEventConflict(db: Db, { context }: RatchetError, nowMs: number): Promise<boolean> {
  const condition = `event-conflict:${context['eventId']}`;
  return raiseAlert(db, { condition, code: 'EVENT_CONFLICT', severity: 'CRITICAL', context, nowMs });
}
