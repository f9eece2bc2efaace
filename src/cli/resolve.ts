import { RatchetError } from '../contracts/schemas/error-body.ts';
import { resolveOrder } from '../store/orders/orders.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions & { readonly reason: string; readonly verdict: 'dead' | 'look-again' };

/** `ratchet resolve <clientOrderId>`: a person says what became of an order that nobody knows. */
export function run(options: Options, clientOrderId: string): Promise<number> {
  return withDatabase(options, async (db, { actor }) => {
    const { verdict, reason } = options;
    const resolved = await resolveOrder(db, { clientOrderId, verdict, reason, actor, nowMs: Date.now() });
    if (resolved.outcome === 'unknown-order') throw new RatchetError('ORDER_UNKNOWN', { clientOrderId });
    const { status } = resolved.reported;
    if (resolved.outcome === 'not-parked') throw new RatchetError('ORDER_NOT_PARKED', { clientOrderId, status });
    const said =
      verdict === 'dead' ? `declared dead, now ${status}; its reservation is given back` : 'the venue is asked again';
    print(options, { clientOrderId, verdict, status }, [`${clientOrderId}: ${said}`]);
    return exitCodes.done;
  });
}
