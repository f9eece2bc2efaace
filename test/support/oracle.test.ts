import { describe, expect, test } from 'vitest';
import type { AuditEvent, Evidence } from './evidence.ts';
import { checks, judge } from './oracle.ts';
import type { LedgerFill, LedgerOrder, LedgerRequest } from './paper-control.ts';

type CheckName = keyof typeof checks;

const event = (type: string, body: AuditEvent['body'], recordedAtMs = 1_000): AuditEvent => ({
  type,
  tradeId: 't',
  recordedAtMs,
  body,
});

const aLedgerOrder = (orderId: number, clientOrderId: string, side: 'BUY' | 'SELL'): LedgerOrder => ({
  orderId,
  clientOrderId,
  side,
  symbol: 'BTCUSDT',
  quantity: '1',
  status: 'FILLED',
  filledQuantity: '1',
  origin: 'api',
  receivedAtMs: 1_001,
});

const aLedgerFill = (fill: Pick<LedgerFill, 'tradeId' | 'orderId' | 'side' | 'price' | 'quantity'>): LedgerFill => ({
  ...fill,
  symbol: 'BTCUSDT',
  quoteQuantity: fill.side === 'BUY' ? '100' : '109.89',
  fee: fill.side === 'BUY' ? '0.001' : '0.10989',
  feeAsset: fill.side === 'BUY' ? 'BTC' : 'USDT',
  isMaker: false,
});

const aRequest = (requestId: number, newClientOrderId: string, timestamp = '1000'): LedgerRequest => ({
  requestId,
  receivedAtMs: 1_001,
  method: 'POST',
  path: '/api/v3/order',
  parameters: { newClientOrderId, timestamp },
  accepted: true,
  answered: true,
  code: null,
});

const anOrder = (client_order_id: string, purpose: string) => ({
  client_order_id,
  purpose,
  trade_id: 't',
  leg: '0',
  status: 'filled',
  send_epoch: '1',
  in_doubt: false,
});

const aFill = (client_order_id: string, fill: LedgerFill) => ({
  client_order_id,
  trade_id: 't',
  venue_trade_id: String(fill.tradeId),
  side: fill.side,
  quantity: fill.quantity,
  price: `${fill.price}.00`,
  quote_quantity: fill.quoteQuantity,
  fee: fill.fee,
  fee_asset: fill.feeAsset,
});

const bought = aLedgerFill({ tradeId: 7, orderId: 1, side: 'BUY', price: '100', quantity: '1' });
const sold = aLedgerFill({ tradeId: 8, orderId: 2, side: 'SELL', price: '110', quantity: '0.999' });
const trailing = { kind: 'trailingStop' };
const stopAt = (stopPrice: string) => ({ ...trailing, stopPrice, state: { stopPrice } });

/** One trade, bought at 100 and sold at 110, of which nothing is wrong. */
const sound: Evidence = {
  ledger: {
    orders: [aLedgerOrder(1, 'rte-1', 'BUY'), aLedgerOrder(2, 'rtx-1', 'SELL')],
    fills: [bought, sold],
    balances: [],
    requests: [aRequest(1, 'rte-1'), aRequest(2, 'rtx-1')],
  },
  trades: [{ trade_id: 't', phase: 'closed', decision: 'approved', result: [{ pnl: '9.78011' }] }],
  orders: [anOrder('rte-1', 'entry'), anOrder('rtx-1', 'exit')],
  fills: [aFill('rte-1', bought), aFill('rtx-1', sold)],
  reservations: [{ trade_id: 't', leg: '0', quantity: '1', posted_quantity: '1', voided_quantity: '0' }],
  positions: [{ trade_id: 't', leg: '0' }],
  guards: [{ trade_id: 't', leg: '0', kind: 'trailingStop', triggered_at_ms: '1000' }],
  exitRequests: [{ trade_id: 't' }],
  alerts: [{ alert_id: '1', resolved_at_ms: null }],
  undelivered: 0,
  events: [
    event('TradeDecided', {}),
    event('OrderIntent', { clientOrderId: 'rte-1' }),
    event('OrderAcked', { clientOrderId: 'rte-1', status: 'filled', inDoubt: false }),
    event('Fill', { clientOrderId: 'rte-1', venueTradeId: '7', side: 'BUY' }),
    event('PositionOpened', {}),
    event('StopArmed', { ...trailing, state: { stopPrice: '98' } }),
    event('StopMoved', stopAt('111')),
    event('StopTriggered', stopAt('111')),
    event('ExitIntent', { clientOrderId: 'rtx-1' }),
    event('ExitAcked', { clientOrderId: 'rtx-1', status: 'filled', inDoubt: false }),
    event('Fill', { clientOrderId: 'rtx-1', venueTradeId: '8', side: 'SELL' }),
    event('PositionClosed', {}),
    event('AlertRaised', { alertId: 1 }),
  ],
  workflows: ['entry-t', 'position-t', 'stop-t', 'exit-t'].map((workflowId) => ({ workflowId, status: 'COMPLETED' })),
};

const ledger = (changes: Partial<Evidence['ledger']>): Partial<Evidence> => ({
  ledger: { ...sound.ledger, ...changes },
});

const withoutEvent = (type: string): Partial<Evidence> => ({
  events: sound.events.filter((each) => each.type !== type),
});

const withTrade = (changes: Partial<Evidence['trades'][number]>): Partial<Evidence> => ({
  trades: sound.trades.map((trade) => ({ ...trade, ...changes })),
});

const withReservation = (changes: Partial<Evidence['reservations'][number]>): Partial<Evidence> => ({
  reservations: sound.reservations.map((row) => ({ ...row, ...changes })),
});

const secondEntry = aLedgerOrder(3, 'rte-2', 'BUY');
const soldAgain = { ...sold, tradeId: 9 };

describe('the oracle', () => {
  test('finds nothing where nothing is wrong', () => {
    expect(judge(sound)).toEqual([]);
  });

  test.each<[CheckName, string, Partial<Evidence>]>([
    [
      'oneEntryPerTradeAndLeg',
      'a second entry order',
      {
        ...ledger({ orders: [...sound.ledger.orders, secondEntry] }),
        orders: [...sound.orders, anOrder('rte-2', 'entry')],
      },
    ],
    [
      'oneOrderPerId',
      'an id that was taken twice',
      ledger({ orders: [...sound.ledger.orders, aLedgerOrder(3, 'rte-1', 'BUY')] }),
    ],
    [
      'oneOrderPerId',
      'an id that was sent again',
      ledger({ requests: [...sound.ledger.requests, aRequest(3, 'rtx-1', '2000')] }),
    ],
    [
      'everySendIsIntended',
      'a send that was repeated, although the venue refused it',
      ledger({ requests: [...sound.ledger.requests, { ...aRequest(3, 'rtx-1'), accepted: false, code: -1021 }] }),
    ],
    ['neverSoldMoreThanHeld', 'a second exit fill', ledger({ fills: [bought, sold, soldAgain] })],
    ['closedTradesAreFlat', 'a closed trade that still holds', ledger({ fills: [bought] })],
    ['intentBeforeSend', 'an order nobody intended', ledger({ orders: [...sound.ledger.orders, secondEntry] })],
    [
      'intentBeforeSend',
      'an intent that came after its order',
      { events: sound.events.map((each) => (each.type === 'OrderIntent' ? { ...each, recordedAtMs: 1_003 } : each)) },
    ],
    ['everyFillIsInTheBook', 'a fill the book does not have', { fills: sound.fills.slice(1) }],
    ['everyFillIsInTheBook', 'a fill the venue does not know', ledger({ fills: [bought] })],
    [
      'everyFillIsInTheBook',
      'a fill with another fee',
      { fills: sound.fills.map((fill) => ({ ...fill, fee: '0.5' })) },
    ],
    ['everyFillIsInTheBook', 'a fill that is there twice', { fills: [...sound.fills, ...sound.fills.slice(0, 1)] }],
    ['resultsAreExact', 'a result that is off by the least', withTrade({ result: [{ pnl: '9.78012' }] })],
    ['stopsNeverLoosen', 'a stop that fell', { events: [...sound.events, event('StopMoved', stopAt('110.99'))] }],
    ['reservationsAreConserved', 'a reservation that stayed', withReservation({ posted_quantity: '0.4' })],
    ['reservationsAreConserved', 'more given back than reserved', withReservation({ voided_quantity: '0.4' })],
    [
      'reservationsAreConserved',
      'a parked entry without its reservation',
      { ...withTrade({ phase: 'placing' }), orders: [{ ...anOrder('rte-1', 'entry'), status: 'parked' }] },
    ],
    ...['TradeDecided', 'OrderIntent', 'OrderAcked', 'Fill', 'PositionOpened', 'StopArmed', 'StopTriggered']
      .concat(['ExitIntent', 'ExitAcked', 'PositionClosed', 'AlertRaised'])
      .map((type): [CheckName, string, Partial<Evidence>] => [
        'everyChangeHasItsRecord',
        `no record ${type}`,
        withoutEvent(type),
      ]),
    ['everyChangeHasItsRecord', 'a release without a record', withReservation({ voided_quantity: '0.4' })],
    [
      'everyChangeHasItsRecord',
      'a record that is there twice',
      { events: [...sound.events, event('PositionClosed', {})] },
    ],
    ['lifecyclesEnded', 'a lifecycle that goes on', { workflows: [{ workflowId: 'position-t', status: 'RUNNING' }] }],
    ['lifecyclesEnded', 'a lifecycle that failed', { workflows: [{ workflowId: 'breaker-main', status: 'FAILED' }] }],
    ['lifecyclesEnded', 'a message nobody has delivered', { undelivered: 1 }],
  ])('%s finds %s', (name, _, changes) => {
    expect(checks[name]({ ...sound, ...changes })).not.toEqual([]);
  });
});
