import { describe, type ErrorCode, type ErrorContext } from '../domain/errors.ts';
import { type Db, inTransaction } from './database.ts';
import { record } from './record.ts';
import type { AlertSeverity } from './tables.ts';

export type Alert = {
  readonly alertId: number;
  /** What lasts, such as one parked order: the same condition is one alert until it is resolved. */
  readonly condition: string;
  readonly code: ErrorCode;
  readonly severity: AlertSeverity;
  readonly message: string;
  readonly context: ErrorContext;
  readonly raisedAtMs: number;
};

const actor = { type: 'system', id: 'alerts' } as const;

/** Raises an alert unless its condition has one already. Returns whether it is new: only then people are told. */
export function raiseAlert(
  db: Db,
  alert: {
    readonly condition: string;
    readonly code: ErrorCode;
    readonly severity: AlertSeverity;
    readonly context: ErrorContext;
    readonly tradeId?: string;
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { condition, code, severity, context, nowMs } = alert;
  const message = describe(code, context);
  return inTransaction(db, async (tx) => {
    const raised = await tx
      .insertInto('alert')
      .values({
        condition_key: condition,
        code,
        severity,
        message,
        context: JSON.stringify(context),
        raised_at_ms: nowMs,
      })
      .onConflict((conflict) => conflict.column('condition_key').where('resolved_at_ms', 'is', null).doNothing())
      .returning('alert_id')
      .executeTakeFirst();
    if (raised === undefined) return false;
    await record(tx, {
      type: 'AlertRaised',
      key: [raised.alert_id],
      ...(alert.tradeId !== undefined && { tradeId: alert.tradeId }),
      atMs: nowMs,
      actor,
      data: { alertId: raised.alert_id, condition, code, severity, context },
    });
    return true;
  });
}

/** Ends the condition's alert, if it has one. Returns whether it had. */
export function resolveAlert(
  db: Db,
  { condition, nowMs }: { readonly condition: string; readonly nowMs: number },
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const resolved = await tx
      .updateTable('alert')
      .set({ resolved_at_ms: nowMs })
      .where('condition_key', '=', condition)
      .where('resolved_at_ms', 'is', null)
      .returning(['alert_id', 'code'])
      .executeTakeFirst();
    if (resolved === undefined) return false;
    const { alert_id: alertId, code } = resolved;
    await record(tx, { type: 'AlertResolved', key: [alertId], atMs: nowMs, actor, data: { alertId, condition, code } });
    return true;
  });
}

/** What lasts and needs a person, the gravest and oldest first. */
export async function openAlerts(db: Db): Promise<readonly Alert[]> {
  return (
    db
      .selectFrom('alert')
      .select([
        'alert_id as alertId',
        'condition_key as condition',
        'code',
        'severity',
        'message',
        'context',
        'raised_at_ms as raisedAtMs',
      ])
      .where('resolved_at_ms', 'is', null)
      // CRITICAL, WARNING, INFO: not the alphabet's order.
      .orderBy((eb) =>
        eb
          .case()
          .when('severity', '=', 'CRITICAL')
          .then(eb.val(0))
          .when('severity', '=', 'WARNING')
          .then(eb.val(1))
          .else(eb.val(2))
          .end(),
      )
      .orderBy('raised_at_ms')
      .orderBy('alert_id')
      .execute()
  );
}
