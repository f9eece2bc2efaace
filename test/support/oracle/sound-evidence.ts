import { generateKeyPairSync } from 'node:crypto';
import { emptyTree, grow, leafOf, linkOf, rootOf } from '../../../src/audit/chain.ts';
import { encodePublicKey, signCheckpoint } from '../../../src/audit/checkpoint.ts';
import { publicKeyOf } from '../../../src/audit/keys.ts';
import type { AuditEvent, Chain, Evidence } from '../evidence.ts';
import type { LedgerFill, LedgerOrder, LedgerRequest } from '../paper-control.ts';

// Made by hand, for the tests of the oracle alone.

export const event = (type: string, body: AuditEvent['body'], recordedAtMs = 1_000, tradeId: string | null = 't') => ({
  type,
  tradeId,
  recordedAtMs,
  body,
});

export const aLedgerOrder = (orderId: number, clientOrderId: string, side: 'BUY' | 'SELL'): LedgerOrder => ({
  orderId,
  clientOrderId,
  side,
  symbol: 'BTCUSDT',
  quantity: side === 'BUY' ? '1' : '0.999',
  status: 'FILLED',
  filledQuantity: '1',
  origin: 'api',
  receivedAtMs: orderId === 2 ? 2_001 : 1_001,
  acceptedAtMs: orderId === 2 ? 2_001 : 1_001,
});

const aLedgerFill = (fill: Pick<LedgerFill, 'tradeId' | 'orderId' | 'side' | 'price' | 'quantity'>): LedgerFill => ({
  ...fill,
  symbol: 'BTCUSDT',
  quoteQuantity: fill.side === 'BUY' ? '100' : '109.89',
  fee: fill.side === 'BUY' ? '0.001' : '0.10989',
  feeAsset: fill.side === 'BUY' ? 'BTC' : 'USDT',
  isMaker: false,
  tradedAtMs: fill.side === 'BUY' ? 1_001 : 2_001,
});

export const aRequest = (requestId: number, newClientOrderId: string, timestamp = '1000'): LedgerRequest => ({
  requestId,
  receivedAtMs: newClientOrderId === 'rtx-1' ? 2_001 : 1_001,
  method: 'POST',
  path: '/api/v3/order',
  parameters: { newClientOrderId, timestamp },
  accepted: true,
  answered: true,
  httpStatus: 200,
  code: null,
});

export type Order = Evidence['orders'][number];

export const anOrder = (client_order_id: string, purpose: string, changes: Partial<Order> = {}): Order => ({
  client_order_id,
  purpose,
  trade_id: 't',
  leg: '0',
  generation: '1',
  symbol: 'BTC/USDT',
  side: purpose === 'entry' ? 'BUY' : 'SELL',
  quantity: '1',
  status: 'filled',
  send_epoch: '1',
  recv_window_ms: '3000',
  in_doubt: false,
  reason_code: null,
  ...changes,
});

const aSend = (client_order_id: string) => ({
  client_order_id,
  send_epoch: '1',
  signed_at_ms: '1000',
  outcome: 'ACCEPTED',
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

export const bought = aLedgerFill({ tradeId: 7, orderId: 1, side: 'BUY', price: '100', quantity: '1' });
export const sold = aLedgerFill({ tradeId: 8, orderId: 2, side: 'SELL', price: '110', quantity: '0.999' });
const trailing = { kind: 'trailingStop', leg: 0 };
export const stopAt = (stopPrice: string) => ({ ...trailing, stopPrice, state: { stopPrice } });
const trigger = { ...stopAt('111'), price: '110', venueTradeId: '77', tradedAtMs: 1_999 };
export const decided = {
  outcome: 'approved',
  account: 'main',
  legs: [{ symbol: 'BTC/USDT' }],
  price: { last: '100', ageMs: 12, venueTradeId: '70' },
  evaluations: [
    { control: 'total_exposure_cap', scope: 'account', limit: '100' },
    { control: 'portfolio_delta', scope: 'account', limit: '100' },
    { control: 'symbol_delta', scope: 'BTC/USDT', limit: '100' },
  ],
};

const { privateKey } = generateKeyPairSync('ed25519');
const signingKey = { name: 'ratchet/audit', key: privateKey };

/** Three records in a chain, with a checkpoint over each of the first lengths. */
function aChain(): Chain {
  let prev = '0'.repeat(64);
  let tree = emptyTree;
  const checkpoints: { size: number; note: string }[] = [];
  const records = ['{"a":1}', '{"b":2}', '{"c":3}'].map((body, i) => {
    const leaf = leafOf(body);
    const record = { insertNo: i + 1, eventId: `e${i}`, body, seq: i + 1, prev, leaf, hash: linkOf(i + 1, prev, leaf) };
    prev = record.hash;
    tree = grow(tree, [leaf]);
    const note = signCheckpoint({ origin: 'ratchet/audit', size: i + 1, root: rootOf(tree), chain: prev }, signingKey);
    checkpoints.push({ size: i + 1, note });
    return record;
  });
  const notes = checkpoints.map(({ note }) => note);
  return {
    records,
    head: { seq: 3, hash: prev },
    checkpoints,
    notes,
    publicKey: encodePublicKey(publicKeyOf(signingKey)),
  };
}

export const aHold = (changes: Partial<Evidence['holds'][number]> = {}): Evidence['holds'][number] => ({
  hold_id: 'hold-1',
  scope_kind: 'account',
  scope_id: 'main',
  source: 'operator',
  level: 'entries-blocked',
  version: '1',
  set_at_ms: '5000',
  actor: 'anna',
  lifted_at_ms: null,
  lifted_by: null,
  expires_at_ms: null,
  ...changes,
});

export const halt = event('HaltApplied', { holdId: 'hold-1' }, 5_000, null);

/** One trade, bought at 100 and sold at 110, of which nothing is wrong. */
export const sound: Evidence = {
  ledger: {
    orders: [aLedgerOrder(1, 'rte-1', 'BUY'), aLedgerOrder(2, 'rtx-1', 'SELL')],
    fills: [bought, sold],
    balances: [],
    requests: [aRequest(1, 'rte-1'), aRequest(2, 'rtx-1')],
    closings: [],
  },
  accounts: [{ account_id: 'main', limits_version: '1', limits: { totalExposureCap: '100', priceAgeMsMax: 5_000 } }],
  trades: [
    {
      trade_id: 't',
      phase: 'closed',
      decision: 'approved',
      account_id: 'main',
      strategy: 's',
      decided_at_ms: '990',
      request: { legs: [{ symbol: 'BTC/USDT', quantity: '1' }] },
      result: [{ pnl: '9.78011' }],
    },
  ],
  orders: [anOrder('rte-1', 'entry'), anOrder('rtx-1', 'exit', { quantity: '0.999' })],
  sends: [aSend('rte-1'), aSend('rtx-1')],
  fills: [aFill('rte-1', bought), aFill('rtx-1', sold)],
  reservations: [
    {
      trade_id: 't',
      leg: '0',
      symbol: 'BTC/USDT',
      side: 'BUY',
      price: '100',
      unit_delta: '1',
      quantity: '1',
      posted_quantity: '1',
      voided_quantity: '0',
      reserved_at_ms: '990',
    },
  ],
  positions: [{ trade_id: 't', leg: '0' }],
  guards: [{ trade_id: 't', leg: '0', kind: 'trailingStop', triggered_at_ms: '1000' }],
  exitRequests: [{ trade_id: 't', requested_at_ms: '2000' }],
  holds: [],
  alerts: [
    {
      alert_id: '1',
      condition_key: 'drill',
      code: 'DRILL',
      severity: 'INFO',
      raised_at_ms: '900',
      context: {},
      resolved_at_ms: null,
    },
  ],
  undelivered: 0,
  events: [
    event('TradeDecided', decided, 990),
    event('OrderIntent', { clientOrderId: 'rte-1' }),
    event('OrderAcked', { clientOrderId: 'rte-1', from: 'pendingNew', status: 'filled', inDoubt: false }),
    event('Fill', { clientOrderId: 'rte-1', venueTradeId: '7', side: 'BUY' }),
    event('PositionOpened', { leg: 0 }),
    event('StopArmed', { ...trailing, state: { stopPrice: '98' } }),
    event('StopMoved', stopAt('111')),
    event('StopTriggered', trigger, 2_000),
    event('ExitIntent', { clientOrderId: 'rtx-1' }, 2_000),
    event('ExitAcked', { clientOrderId: 'rtx-1', from: 'pendingNew', status: 'filled', inDoubt: false }, 2_010),
    event('Fill', { clientOrderId: 'rtx-1', venueTradeId: '8', side: 'SELL' }, 2_010),
    event('PositionClosed', {}, 2_020),
    event('AlertRaised', { alertId: 1 }),
  ],
  chain: aChain(),
  workflows: ['entry-t', 'position-t', 'stop-t', 'exit-t'].map((workflowId) => ({
    workflowId,
    status: 'COMPLETED',
    startedAtMs: 1_500,
    closedAtMs: 2_500,
  })),
  outages: [],
  gatheredAtMs: Infinity,
  sweeps: [],
  resumeApprovals: 1,
  approvals: [],
  secrets: { places: 1, found: [] },
  replay: { histories: 1, failed: [] },
};
