import type { GuardKind } from '../../src/contracts/messages/messages.ts';
import { shardOf } from '../../src/contracts/messages/names.ts';
import type { StopView } from '../../src/contracts/messages/views.ts';
import { type Decimal, divide } from '../../src/domain/decimal.ts';
import type { Guard } from '../../src/domain/guard.ts';
import { invariant } from '../../src/domain/invariant.ts';
import type { PositionSide } from '../../src/domain/order.ts';
import { activationPriceAt, openTrailingStop, type TrailingStopRules } from '../../src/domain/trailing-stop.ts';
import * as guards from '../../src/store/guards/guards.ts';
import { type OpenTrade, readOpenTrade } from '../../src/store/trades/positions.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { roomOf } from '../rooms.ts';

/**
 * Arms the price levels of a position: stop loss and take profit. Armed again it changes nothing; a trade that is on
 * its way out is not armed any more. Answers with what is armed.
 */
export const createArmGuards = (deps: ActivityDependencies) =>
  async function armGuards(tradeId: string): Promise<readonly GuardKind[]> {
    const trade = await readOpenTrade(deps.db, tradeId);
    if (trade === undefined) return [];
    const { stopLoss, takeProfit } = trade.exit;
    const levels: Guard[] = [
      ...(stopLoss ? [levelGuard('stopLoss', trade.side, stopLoss.price)] : []),
      ...(takeProfit ? [levelGuard('takeProfit', trade.side, takeProfit.price)] : []),
    ];
    const armed = await arm(deps, trade, levels);
    return armed ? levels.map(({ kind }) => kind) : [];
  };

/** Arms the trailing stop of a position from its average entry price. Null when the trade is on its way out. */
export const createArmTrailingStop = (deps: ActivityDependencies) =>
  async function armTrailingStop(tradeId: string): Promise<StopView | null> {
    const trade = await readOpenTrade(deps.db, tradeId);
    const terms = trade?.exit.trailingStop;
    if (trade === undefined || terms === undefined) return null;
    const { tickSize } = await roomOf(deps, trade.venue).filters.atHand(trade.symbol);
    const entryPrice = divide(trade.entryQuote, trade.entryQuantity);
    const rules: TrailingStopRules = {
      side: trade.side,
      by: terms.by,
      distance: terms.distance,
      activationPrice: activationPriceOf(terms.activation, entryPrice, trade.side),
      tickSize,
      minimumMovePercent: null,
      extremeFrom: 'activation',
    };
    const stop = openTrailingStop(rules, entryPrice);
    const armed = await arm(deps, trade, [{ kind: 'trailingStop', terms: rules, state: stop }]);
    if (!armed) return null;
    return (await guards.readStop(deps.db, tradeId)) ?? { tradeId, version: 1, rules, stop, triggeredAtPrice: null };
  };

const levelGuard = (kind: 'stopLoss' | 'takeProfit', side: PositionSide, price: Decimal): Guard => ({
  kind,
  terms: { side, price },
  state: { status: 'armed' },
});

async function arm(deps: ActivityDependencies, trade: OpenTrade, wanted: readonly Guard[]): Promise<boolean> {
  if (wanted.length === 0) return true;
  const { outcome } = await guards.armGuards(deps.db, {
    tradeId: trade.tradeId,
    leg: trade.leg,
    venue: trade.venue,
    shard: shardOf(trade.venue, trade.symbol, deps.watchShards),
    symbol: trade.symbol,
    sinceVenueTradeId: sinceOf(trade),
    guards: wanted,
    nowMs: deps.now(),
  });
  return outcome === 'armed';
}

// A venue whose fills have the ids of the market's trades: prices count from behind the first fill on.
function sinceOf({ firstVenueTradeId }: OpenTrade): number {
  const since = Number(firstVenueTradeId);
  invariant(Number.isSafeInteger(since), `a venue trade id is a whole number, was ${firstVenueTradeId}`);
  return since;
}

function activationPriceOf(
  activation: { readonly price: Decimal } | { readonly profitPercent: Decimal } | undefined,
  entryPrice: Decimal,
  side: PositionSide,
): Decimal | null {
  if (activation === undefined) return null;
  if ('price' in activation) return activation.price;
  return activationPriceAt(side, entryPrice, activation.profitPercent);
}
