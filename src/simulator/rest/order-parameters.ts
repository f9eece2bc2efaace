import { type Decimal, isPositive } from '../../domain/decimal.ts';
import type { Side, TimeInForce } from '../../domain/order.ts';
import type { OrderCommand } from '../exchange/acceptance.ts';
import type { PaperOrderType, PreventionMode } from '../exchange/ledger.ts';
import { refusals, texts } from '../exchange/refusal.ts';
import { isStopType } from '../exchange/stop-orders.ts';
import type { ResponseType } from './answers.ts';
import { clientIdOf, decimalOf, mandatory, optional, type Parameters } from './parameters.ts';

/** Everything that POST /order reads, the unsupported features included: those get their own refusal. */
export const orderParameters: readonly string[] = [
  'symbol',
  'side',
  'type',
  'timeInForce',
  'quantity',
  'quoteOrderQty',
  'price',
  'newClientOrderId',
  'strategyId',
  'strategyType',
  'stopPrice',
  'trailingDelta',
  'icebergQty',
  'newOrderRespType',
  'selfTradePreventionMode',
];

/** What this venue allows of self-trade prevention; the first is what an order gets that does not ask. */
export const preventionModes: readonly PreventionMode[] = ['EXPIRE_MAKER', 'EXPIRE_TAKER', 'EXPIRE_BOTH'];
const otherModes: ReadonlySet<string> = new Set(['NONE', 'DECREMENT', 'TRANSFER']);

const supportedTypes: ReadonlySet<string> = new Set<PaperOrderType>(['LIMIT', 'LIMIT_MAKER', 'MARKET']);

/** The order that the parameters describe; throws the refusal of the first that is wrong. `symbol` is checked before. */
export function orderCommandOf(
  parameters: Parameters,
  { requestId, receivedAtMs }: { readonly requestId: number; readonly receivedAtMs: number },
): OrderCommand {
  const side = mandatory(parameters, 'side');
  if (side !== 'BUY' && side !== 'SELL') throw refusals.side();
  const type = typeOf(parameters);
  refuseUnsupported(parameters);
  const terms =
    type.endsWith('LIMIT') || type === 'LIMIT_MAKER' ? limitTerms(parameters, type) : marketTerms(parameters);
  const stopPrice = stopPriceOf(parameters, type);
  const quantity = decimalOf('quantity', mandatory(parameters, 'quantity'));
  if (!isPositive(quantity)) throw refusals.newOrder('Price * QTY is zero or less.');
  const clientOrderId = optional(parameters, 'newClientOrderId');
  return {
    clientOrderId: clientOrderId === undefined ? null : clientIdOf('newClientOrderId', clientOrderId),
    symbol: mandatory(parameters, 'symbol'),
    side: side satisfies Side,
    type,
    ...terms,
    stopPrice,
    preventionMode: preventionModeOf(parameters),
    quantity,
    origin: 'api',
    requestId,
    receivedAtMs,
  };
}

/** MARKET and LIMIT answer in full unless asked otherwise, all others with the least. */
export function responseTypeOf(parameters: Parameters, orderType: PaperOrderType): ResponseType {
  const standard = orderType === 'MARKET' || orderType === 'LIMIT' ? 'FULL' : 'ACK';
  const type = optional(parameters, 'newOrderRespType') ?? standard;
  if (type === 'ACK' || type === 'RESULT' || type === 'FULL') return type;
  throw refusals.invalidData('newOrderRespType');
}

function typeOf(parameters: Parameters): PaperOrderType {
  const type = mandatory(parameters, 'type');
  if (supportedTypes.has(type) || isStopType(type)) return type as PaperOrderType;
  throw refusals.orderType();
}

function refuseUnsupported(parameters: Parameters): void {
  if (parameters['quoteOrderQty'] !== undefined) throw refusals.newOrder(texts.quoteQuantity);
  if (parameters['trailingDelta'] !== undefined) throw refusals.newOrder(texts.notSupported('Trailing stop'));
  if (parameters['icebergQty'] !== undefined) throw refusals.newOrder(texts.notSupported('Iceberg'));
}

function stopPriceOf(parameters: Parameters, type: PaperOrderType): Decimal | null {
  if (isStopType(type)) return decimalOf('stopPrice', mandatory(parameters, 'stopPrice'));
  if (parameters['stopPrice'] !== undefined) throw refusals.notRequired('stopPrice');
  return null;
}

function preventionModeOf(parameters: Parameters): PreventionMode {
  const asked = optional(parameters, 'selfTradePreventionMode') ?? 'EXPIRE_MAKER';
  const mode = preventionModes.find((each) => each === asked);
  if (mode !== undefined) return mode;
  throw otherModes.has(asked) ? refusals.preventionMode() : refusals.invalidData('selfTradePreventionMode');
}

type Terms = Pick<OrderCommand, 'timeInForce' | 'limitPrice'>;

function marketTerms(parameters: Parameters): Terms {
  for (const name of ['price', 'timeInForce']) {
    if (parameters[name] !== undefined) throw refusals.notRequired(name);
  }
  return { timeInForce: 'GTC', limitPrice: null };
}

function limitTerms(parameters: Parameters, type: PaperOrderType): Terms {
  const limitPrice = decimalOf('price', mandatory(parameters, 'price'));
  if (type !== 'LIMIT_MAKER') return { timeInForce: timeInForceOf(parameters), limitPrice };
  if (parameters['timeInForce'] !== undefined) throw refusals.notRequired('timeInForce');
  return { timeInForce: 'GTC', limitPrice };
}

function timeInForceOf(parameters: Parameters): TimeInForce {
  const timeInForce = mandatory(parameters, 'timeInForce');
  if (timeInForce === 'GTC' || timeInForce === 'IOC' || timeInForce === 'FOK') return timeInForce;
  throw refusals.timeInForce();
}
