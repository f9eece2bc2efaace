import type { EntryRequest, Leg } from '../src/contracts/messages/entry-request.ts';
import type {
  BreakerInput,
  CancelAllInput,
  ExitInput,
  OrderReported,
  PositionClosed,
  PositionInput,
  ProtectionInput,
  StopInput,
} from '../src/contracts/messages/messages.ts';
import type {
  BreakerView,
  CancelAllView,
  EntryView,
  ExitView,
  PositionView,
  ProtectionView,
  StopView,
} from '../src/contracts/messages/views.ts';

// The current details that the Temporal UI shows, in Markdown: what a person on call asks first.

export function describeEntry(request: EntryRequest, { phase, decision, orders }: EntryView): string {
  const asked = request.legs.map((leg) => `${leg.side} ${leg.quantity} ${leg.symbol}${priceOf(request, leg)}`);
  return lines(
    `**${phase}**: ${asked.join(' + ')}`,
    ...(decision?.reasons ?? []).map((reason) => `- ${reason.message} ${reason.remedy}`),
    ...orders.flatMap((order) => (order === null ? [] : orderLines(order))),
    request.reason && `- the bot says: ${request.reason}`,
  );
}

const priceOf = ({ entry }: EntryRequest, leg: Leg): string =>
  entry.type === 'LIMIT' ? ` at ${leg.price ?? entry.price} ${entry.timeInForce}` : ' at market';

const orderLines = ({ clientOrderId, status, inDoubt, filledQuantity, reason }: OrderReported) => [
  `- order \`${clientOrderId}\`: ${status}${inDoubt ? ', in doubt' : ''}, filled ${filledQuantity}`,
  reason && `- the venue says: ${reason}`,
];

export function describePosition(input: PositionInput, view: PositionView): string {
  const { entry, closed } = view;
  return lines(
    `**${view.phase}**: ${input.side} ${input.symbol}`,
    entry &&
      `- entered ${entry.entryQuantity} for ${entry.entryQuote}${entry.isFinal ? '' : ', the entry still works'}`,
    ...(entry?.otherLegs ?? []).map(
      ({ symbol, entryQuantity, entryQuote }) => `- entered ${entryQuantity} ${symbol} for ${entryQuote}`,
    ),
    view.armed.length > 0 && `- armed: ${view.armed.join(', ')}`,
    view.timeStopAtMs !== null && `- time stop at ${utc(view.timeStopAtMs)}`,
    view.exitReason && `- leaving because of: ${view.exitReason}`,
    ...legsOf(closed).map(
      ({ exitQuantity, exitQuote, pnl, pnlAsset }) =>
        `- closed ${exitQuantity} for ${exitQuote}, P&L ${pnl} ${pnlAsset} after fees`,
    ),
  );
}

export function describeStop(input: StopInput, { rules, stop, triggeredAtPrice }: StopView): string {
  return lines(
    `**${stop.status}**: ${input.symbol} ${rules.side}, stop ${stop.stopPrice ?? 'none yet'}`,
    `- ${rules.distance} (${rules.by}) behind ${stop.extreme}`,
    rules.activationPrice !== null && `- activates at ${rules.activationPrice}`,
    triggeredAtPrice !== null && `- triggered at ${triggeredAtPrice}`,
  );
}

export function describeProtection(input: ProtectionInput, view: ProtectionView): string {
  const { doing, stopPrice, quantity, orders } = view;
  return lines(
    `**${doing}**: stop of ${input.symbol} at ${input.venue}`,
    stopPrice !== null && `- ${quantity} from ${stopPrice}`,
    `- orders so far: ${orders}`,
  );
}

export function describeExit(input: ExitInput, { doing, orders, closed }: ExitView): string {
  return lines(
    `**${doing}**: ${input.symbol} because of ${input.reason}`,
    `- exit orders so far: ${orders}`,
    ...legsOf(closed).map(({ pnl, pnlAsset, dust }) => `- flat: P&L ${pnl} ${pnlAsset} after fees, dust ${dust}`),
  );
}

export function describeBreaker(input: BreakerInput, view: BreakerView): string {
  return lines(
    `**${view.state}** ${input.scope}: ${view.because}`,
    view.openedAtMs !== null && `- opened at ${utc(view.openedAtMs)}`,
    ...view.holds.map(
      (hold) =>
        `- **${hold.level}** on ${hold.scope.kind} ${hold.scope.id}, set by ${hold.actor} (${hold.source}): ${hold.reason}`,
    ),
    ...view.workingEntries.map(
      (order) =>
        `- still working: ${order.side} ${order.leavesQuantity} ${order.symbol}, order \`${order.clientOrderId}\``,
    ),
    view.lastCommand && `- last message ${view.lastCommand.outcome}: ${view.lastCommand.message}`,
  );
}

const legsOf = (closed: PositionClosed | null): readonly PositionClosed[] =>
  closed === null ? [] : [closed, ...(closed.otherLegs ?? [])];

const utc = (atMs: number): string => new Date(atMs).toISOString();

export function describeSweeps(input: CancelAllInput, { sweeps }: CancelAllView): string {
  const { kind, id } = input.scope;
  return lines(
    `**${input.level}** on ${kind === 'all' ? 'everything' : `${kind} ${id}`}`,
    ...sweeps.map(
      ({ venue, outcome, left, canceled, notFlat, looks }) =>
        `- ${venue}: ${outcome ?? 'going on'}, ${canceled} canceled, ${left.length} left after ${looks} looks${
          notFlat.length > 0 ? `, ${notFlat.length} trades not flat` : ''
        }`,
    ),
    ...sweeps.flatMap(({ left }) => left).map((clientOrderId) => `- left: \`${clientOrderId}\``),
  );
}

const lines = (...parts: readonly (string | false | null | undefined)[]): string => parts.filter(Boolean).join('\n');
