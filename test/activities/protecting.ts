import type { ExitTerms } from '../../src/contracts/messages/entry-request.ts';
import { decimal } from '../../src/domain/decimal.ts';
import type { FaultRule } from '../../src/simulator/server.ts';
import type { OrderBench } from '../support/order-bench/bench.ts';
import type { Theater } from './stories.ts';

const atVenue = { at: 'venue', limitOffsetBps: 50, moveStepBps: 20, moveIntervalMs: 60_000 } as const;
/** A stop that the venue holds too. */
export const exitAtVenue: ExitTerms = { stopLoss: { price: decimal('95') }, protectiveStop: atVenue };

type Guarded = { readonly bench: OrderBench; readonly tradeId: string };

/** A position of 0.999 at a market of 100, with its guards armed and, unless said otherwise, its stop at the venue. */
export async function guarded(
  theater: Theater,
  plan: { readonly watch?: boolean; readonly isHeld?: boolean } = {},
): Promise<Guarded> {
  const bench = await theater.open({ watch: plan.watch ?? true });
  const { tradeId } = await bench.trade({ exits: false, exit: exitAtVenue });
  await bench.runner().run('armGuards', [tradeId]);
  if (plan.isHeld !== false) await bench.protect(tradeId);
  return { bench, tradeId };
}

export const stopsOf = ({ simulator }: OrderBench) =>
  [...simulator.exchange.books.orders.values()].filter(({ clientOrderId }) => clientOrderId.startsWith('rts-'));

/** The stops that the venue holds now. */
export const standing = (bench: OrderBench) =>
  stopsOf(bench)
    .filter(({ orderId }) => bench.simulator.exchange.books.openOrders.has(orderId))
    .map(({ quantity, stopPrice }) => ({ quantity, stopPrice }));

export const replacing = (phase: FaultRule['phase'], action: FaultRule['do']): FaultRule => ({
  on: { method: 'POST', path: '/api/v3/order/cancelReplace', nth: 1 },
  phase,
  do: action,
});

/** A local stop that has tightened, as the market watch writes it; the stop at the venue may move again by then. */
export async function tighten(theater: Theater, { bench, tradeId }: Guarded, price: string): Promise<void> {
  await bench.pass(60_000);
  await theater
    .db()
    .updateTable('guard')
    .set({ terms: JSON.stringify({ side: 'long', price }) })
    .where('trade_id', '=', tradeId)
    .execute();
}
