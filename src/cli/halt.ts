import type { HoldLevel, WorkingOrder } from '../contracts/messages/messages.ts';
import type { HoldView } from '../contracts/messages/views.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { setHold } from '../store/holds.ts';
import { describeScope, type ScopeOptions, scopeOf } from './hold-scope.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions &
  ScopeOptions & { readonly reason: string; readonly level: HoldLevel; readonly for?: number };

/** `ratchet halt`: in force once this returns, whatever else is down. */
export function run(options: Options): Promise<number> {
  const { level, reason } = options;
  if (level !== 'entries-blocked') throw new RatchetError('HALT_LEVEL_UNAVAILABLE', { level });
  return withDatabase(options, async (db, { actor }) => {
    const nowMs = Date.now();
    const { hold, workingEntries } = await setHold(db, {
      scope: scopeOf(options),
      source: 'operator',
      level,
      actor,
      reason,
      ...(options.for !== undefined && { expiresAtMs: nowMs + options.for * 60_000 }),
      nowMs,
    });
    print(options, { hold, workingEntries }, describeHalt(hold, workingEntries));
    return exitCodes.done;
  });
}

export function describeHalt(hold: HoldView, workingEntries: readonly WorkingOrder[]): readonly string[] {
  const until = hold.expiresAtMs === null ? 'until it is resumed' : `until ${new Date(hold.expiresAtMs).toISOString()}`;
  return [
    `HALTED: ${describeScope(hold.scope)}, ${hold.level}, ${until} (${hold.holdId}, version ${hold.version})`,
    `by ${hold.actor}: ${hold.reason}`,
    workingEntries.length === 0
      ? 'No entry order works any more.'
      : 'These entry orders were sent before and can still fill; a halt does not cancel them:',
    ...workingEntries.map(
      ({ clientOrderId, tradeId, side, leavesQuantity, symbol, status }) =>
        `  ${clientOrderId}  ${side} ${leavesQuantity} ${symbol}  ${status}  trade ${tradeId}`,
    ),
  ];
}
