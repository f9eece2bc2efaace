import { type AlertCode, alertEndsWith } from '../domain/errors/alert-endings.ts';
import { describe, type ErrorCode, type ErrorContext } from '../domain/errors.ts';
import { runOnce } from './commands.ts';
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
  /** What ends it by itself; null: a person does. */
  readonly endsWith: string | null;
};

const actor = { type: 'system', id: 'alerts' } as const;

/** Raises an alert unless its condition has one already. Returns whether it is new: only then people are told. */
export function raiseAlert(
  db: Db,
  alert: {
    readonly condition: string;
    readonly code: AlertCode;
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

type EndingByHand = {
  readonly alertId: number;
  readonly actor: string;
  readonly reason: string;
  readonly commandId?: string;
  readonly nowMs: number;
};

export type EndedByHand =
  /** `already`: it was resolved before, by whomever. */
  | { readonly outcome: 'resolved' | 'already'; readonly code: ErrorCode; readonly resolvedAtMs: number }
  | { readonly outcome: 'ends-by-itself'; readonly code: ErrorCode; readonly endsWith: string }
  | { readonly outcome: 'unknown-alert' };

/** A person ends an alert that tells of what has happened. One of what lasts stays: it ends with that. */
export function resolveByHand(db: Db, ending: EndingByHand): Promise<EndedByHand> {
  const { commandId, nowMs, ...body } = ending;
  const { alertId, reason } = ending;
  return runOnce(db, { commandId, kind: 'resolve-alert', body, nowMs }, async (tx): Promise<EndedByHand> => {
    const known = await tx
      .selectFrom('alert')
      .select(['code', 'condition_key as condition', 'resolved_at_ms as resolvedAtMs'])
      .where('alert_id', '=', alertId)
      .forUpdate()
      .executeTakeFirst();
    if (known === undefined) return { outcome: 'unknown-alert' };
    const { code, condition, resolvedAtMs } = known;
    if (resolvedAtMs !== null) return { outcome: 'already', code, resolvedAtMs };
    const endsWith = alertEndsWith(code);
    if (endsWith !== null) return { outcome: 'ends-by-itself', code, endsWith };
    await tx.updateTable('alert').set({ resolved_at_ms: nowMs }).where('alert_id', '=', alertId).execute();
    const by = { type: 'user', id: ending.actor } as const;
    const data = { alertId, condition, code, reason };
    await record(tx, { type: 'AlertResolved', key: [alertId], atMs: nowMs, actor: by, data });
    return { outcome: 'resolved', code, resolvedAtMs: nowMs };
  });
}

/** What needs a person, the gravest and oldest first. */
export async function openAlerts(db: Db): Promise<readonly Alert[]> {
  const alerts = await db
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
    .execute();
  return alerts.map((alert) => ({ ...alert, endsWith: alertEndsWith(alert.code) }));
}
