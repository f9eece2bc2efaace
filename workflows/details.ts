import type { EntryRequest } from '../src/contracts/messages/entry-request.ts';
import type { BreakerInput, ExitInput, PositionInput, StopInput } from '../src/contracts/messages/messages.ts';
import type { BreakerView, EntryView, ExitView, PositionView, StopView } from '../src/contracts/messages/views.ts';

// The current details that the Temporal UI shows, in Markdown: what a person on call asks first.

export function describeEntry(request: EntryRequest, { phase, decision, order }: EntryView): string {
  const leg = request.legs[0];
  const price =
    request.entry.type === 'LIMIT' ? ` at ${request.entry.price} ${request.entry.timeInForce}` : ' at market';
  return lines(
    `**${phase}**: ${leg?.side} ${leg?.quantity} ${leg?.symbol}${price}`,
    ...(decision?.reasons ?? []).map((reason) => `- ${reason.message} ${reason.remedy}`),
    order &&
      `- order \`${order.clientOrderId}\`: ${order.status}${order.inDoubt ? ', in doubt' : ''}, filled ${order.filledQuantity}`,
    order?.reason && `- the venue says: ${order.reason}`,
    request.reason && `- the bot says: ${request.reason}`,
  );
}

export function describePosition(input: PositionInput, view: PositionView): string {
  const { entry, closed } = view;
  return lines(
    `**${view.phase}**: ${input.side} ${input.symbol}`,
    entry &&
      `- entered ${entry.entryQuantity} for ${entry.entryQuote}${entry.isFinal ? '' : ', the entry still works'}`,
    view.armed.length > 0 && `- armed: ${view.armed.join(', ')}`,
    view.timeStopAtMs !== null && `- time stop at ${utc(view.timeStopAtMs)}`,
    view.exitReason && `- leaving because of: ${view.exitReason}`,
    closed &&
      `- closed ${closed.exitQuantity} for ${closed.exitQuote}, P&L ${closed.pnl} ${closed.pnlAsset} after fees`,
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

export function describeExit(input: ExitInput, { doing, orders, closed }: ExitView): string {
  return lines(
    `**${doing}**: ${input.symbol} because of ${input.reason}`,
    `- exit orders so far: ${orders}`,
    closed && `- flat: P&L ${closed.pnl} ${closed.pnlAsset} after fees, dust ${closed.dust}`,
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

const utc = (atMs: number): string => new Date(atMs).toISOString();

const lines = (...parts: readonly (string | false | null | undefined)[]): string => parts.filter(Boolean).join('\n');
