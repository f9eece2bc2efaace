import { decimal } from '../../../src/domain/decimal.ts';
import type { SignedOrder } from '../../../src/venue/venue.ts';
import { ok, type Reply, refuse } from '../support/scripted-venue.ts';

// One order and what the venue may say of it, for the tables of the contract.

/** The order of the tables: a limit to buy half a bitcoin. */
export const wanted = { clientOrderId: 'rte-a', symbol: 'BTC/USDT', quantity: '0.5', limitPrice: '46210.5' } as const;
/** The same as its intent has it. */
export const intended: SignedOrder = {
  ...wanted,
  side: 'BUY',
  orderType: 'LIMIT',
  timeInForce: 'GTC',
  quantity: decimal(wanted.quantity),
  limitPrice: decimal(wanted.limitPrice),
  stopPrice: null,
  signedAtMs: 1_795_262_400_123,
  recvWindowMs: 3000,
};
export const replaced = { clientOrderId: 'rts-old', symbol: 'BTC/USDT' } as const;

/** An order as the venue describes it, with whatever a case changes. */
export const described = (change: object = {}): Record<string, unknown> => ({
  symbol: 'BTCUSDT',
  orderId: 28,
  orderListId: -1,
  clientOrderId: wanted.clientOrderId,
  transactTime: 1_795_262_400_200,
  price: '46210.50000000',
  origQty: '0.50000000',
  executedQty: '0.00000000',
  cummulativeQuoteQty: '0.00000000',
  status: 'NEW',
  timeInForce: 'GTC',
  type: 'LIMIT',
  side: 'BUY',
  fills: [],
  ...change,
});

/** The answer to a cancel of it: there `clientOrderId` is the cancel's own. */
export const canceled = (change: object = {}): Record<string, unknown> =>
  described({ origClientOrderId: wanted.clientOrderId, clientOrderId: 'the-cancel', status: 'CANCELED', ...change });

type Half = 'SUCCESS' | 'FAILURE' | 'NOT_ATTEMPTED';
type Halves = { readonly cancel: Half; readonly placement: Half; readonly why?: object; readonly whyNot?: object };

const oldOrder = canceled({ origClientOrderId: replaced.clientOrderId });
const unknownOrder = { code: -2011, msg: 'Unknown order sent.' };

/** What the venue says of the two halves of a replacement. */
export function halves({ cancel, placement, why = unknownOrder, whyNot = {} }: Halves): object {
  return {
    cancelResult: cancel,
    newOrderResult: placement,
    cancelResponse: cancel === 'SUCCESS' ? oldOrder : why,
    newOrderResponse: placement === 'SUCCESS' ? described() : placement === 'FAILURE' ? whyNot : null,
  };
}

export const replaceRefused = (status: number, code: number, told: Halves): Reply => ({
  status,
  body: { code, msg: 'Order cancel-replace partially failed.', data: halves(told) },
});
export const replaceDone: Reply = ok(halves({ cancel: 'SUCCESS', placement: 'SUCCESS' }));

export const says = (code: number, msg: string, status = 400): Reply => refuse(status, code, msg);
