import { RatchetError } from '../contracts/schemas/error-body.ts';
import { holdsInForce, liftHold } from '../store/holds.ts';
import { describeScope, type ScopeOptions, scopeOf } from './hold-scope.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions & ScopeOptions & { readonly reason: string };

/** `ratchet resume`: lifts what operators have set on the scope, and says what is still in force. */
export function run(options: Options): Promise<number> {
  return withDatabase(options, async (db, { actor }) => {
    const scope = scopeOf(options);
    const nowMs = Date.now();
    const lifted = await liftHold(db, { scope, source: 'operator', actor, reason: options.reason, nowMs });
    if (lifted.outcome !== 'lifted') throw new RatchetError('HOLD_NOT_IN_FORCE', { scope: describeScope(scope) });
    const remaining = await holdsInForce(db, nowMs);
    print(options, { hold: lifted.hold, remaining }, [
      `RESUMED: ${describeScope(scope)} (${lifted.hold.holdId})`,
      ...remaining.map(
        (hold) => `still held: ${describeScope(hold.scope)}, by ${hold.actor} (${hold.source}): ${hold.reason}`,
      ),
    ]);
    return exitCodes.done;
  });
}
