import type { OrderRef, OrderTerms, ProtectionInstruction } from '../../src/contracts/messages/messages.ts';
import { nextProtectionStep, type ProtectionStep, type StopTerms } from '../../src/domain/protective-stop.ts';
import { alertProtectionGone } from '../../src/store/guards/protection-alerts.ts';
import { type ProtectionBook, readProtection } from '../../src/store/guards/protective-stops.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { roomOf } from '../rooms.ts';

/** Reads the trade from the book and says what comes next for its stop at the venue. */
export const createPlanProtection = (deps: ActivityDependencies) =>
  async function planProtection(tradeId: string): Promise<ProtectionInstruction> {
    const book = await readProtection(deps.db, tradeId);
    if (book === undefined) return { step: 'done' };
    const { filters, prices } = roomOf(deps, book.venue);
    prices.subscribe(book.symbol);
    const position = {
      ...book.position,
      filters: await filters.atHand(book.symbol),
      price: prices.latest(book.symbol)?.price ?? null,
    };
    const step = nextProtectionStep(position, book.terms, deps.now());
    if (step.step === 'place') await alertIfGone(deps, book);
    return instructionOf(book, step);
  };

/** A stop that was replaced is followed by another one: where the last one was canceled, it was not by us. */
async function alertIfGone({ db, now }: ActivityDependencies, { tradeId, symbol, position }: ProtectionBook) {
  const last = position.orders.at(-1);
  if (last?.status !== 'canceled' && last?.status !== 'expired') return;
  const { clientOrderId, status } = last;
  await alertProtectionGone(db, { tradeId, symbol, clientOrderId, status, nowMs: now() });
}

function instructionOf({ tradeId, leg, position }: ProtectionBook, step: ProtectionStep): ProtectionInstruction {
  const ref = (generation: number): OrderRef => ({ tradeId, leg, purpose: 'stop', generation });
  const termsOf = (terms: StopTerms): OrderTerms => ({
    side: position.side === 'long' ? 'SELL' : 'BUY',
    orderType: 'STOP_LIMIT',
    ...terms,
  });
  switch (step.step) {
    case 'place':
      return { step: 'place', order: ref(step.generation), terms: termsOf(step.terms) };
    case 'replace':
      return {
        step: 'replace',
        cancel: ref(step.replaced),
        order: ref(step.generation),
        terms: termsOf(step.terms),
      };
    case 'cancel':
    case 'find':
    case 'collectFills':
      return { step: step.step, order: ref(step.generation) };
    case 'exit':
    case 'wait':
    case 'done':
      return step;
  }
}
