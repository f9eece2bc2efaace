import { isPositive } from '../../domain/decimal.ts';
import type { Side, TimeInForce } from '../../domain/order.ts';
import type { OrderCommand } from '../exchange/acceptance.ts';
import type { PaperOrderType } from '../exchange/ledger.ts';
import { refusals, texts } from '../exchange/refusal.ts';
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

const unsupportedTypes: Readonly<Record<string, string>> = {
  STOP_LOSS: 'Stop loss',
  STOP_LOSS_LIMIT: 'Stop loss limit',
  TAKE_PROFIT: 'Take profit',
  TAKE_PROFIT_LIMIT: 'Take profit limit',
};

type ResponseType = 'ACK' | 'RESULT' | 'FULL';

/** The order that the parameters describe; throws the refusal of the first that is wrong. `symbol` is checked before. */
export function orderCommandOf(
  parameters: Parameters,
  { requestId, receivedAtMs }: { readonly requestId: number; readonly receivedAtMs: number },
): OrderCommand {
  const side = mandatory(parameters, 'side');
  if (side !== 'BUY' && side !== 'SELL') throw refusals.side();
  const type = typeOf(parameters);
  refuseUnsupported(parameters);
  const terms = type === 'MARKET' ? marketTerms(parameters) : limitTerms(parameters, type);
  const quantity = decimalOf('quantity', mandatory(parameters, 'quantity'));
  if (!isPositive(quantity)) throw refusals.newOrder('Price * QTY is zero or less.');
  const clientOrderId = optional(parameters, 'newClientOrderId');
  return {
    clientOrderId: clientOrderId === undefined ? null : clientIdOf('newClientOrderId', clientOrderId),
    symbol: mandatory(parameters, 'symbol'),
    side: side satisfies Side,
    type,
    ...terms,
    quantity,
    origin: 'api',
    requestId,
    receivedAtMs,
  };
}

/** MARKET and LIMIT answer in full unless asked otherwise. */
export function responseTypeOf(parameters: Parameters): ResponseType {
  const type = optional(parameters, 'newOrderRespType') ?? 'FULL';
  if (type === 'ACK' || type === 'RESULT' || type === 'FULL') return type;
  throw refusals.invalidData('newOrderRespType');
}

function typeOf(parameters: Parameters): PaperOrderType {
  const type = mandatory(parameters, 'type');
  const unsupported = unsupportedTypes[type];
  if (unsupported) throw refusals.newOrder(texts.notSupported(unsupported));
  if (type === 'LIMIT' || type === 'LIMIT_MAKER' || type === 'MARKET') return type;
  throw refusals.orderType();
}

function refuseUnsupported(parameters: Parameters): void {
  if (parameters['quoteOrderQty'] !== undefined) throw refusals.newOrder(texts.quoteQuantity);
  if (parameters['trailingDelta'] !== undefined) throw refusals.newOrder(texts.notSupported('Trailing stop'));
  if (parameters['icebergQty'] !== undefined) throw refusals.newOrder(texts.notSupported('Iceberg'));
  if (parameters['stopPrice'] !== undefined) throw refusals.notRequired('stopPrice');
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
  if (type === 'LIMIT') return { timeInForce: timeInForceOf(parameters), limitPrice };
  if (parameters['timeInForce'] !== undefined) throw refusals.notRequired('timeInForce');
  return { timeInForce: 'GTC', limitPrice };
}

function timeInForceOf(parameters: Parameters): TimeInForce {
  const timeInForce = mandatory(parameters, 'timeInForce');
  if (timeInForce === 'GTC' || timeInForce === 'IOC' || timeInForce === 'FOK') return timeInForce;
  throw refusals.timeInForce();
}
