import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { leafOf } from '../../src/audit/chain.ts';
import { encodePublicKey } from '../../src/audit/checkpoint.ts';
import { publicKeyOf } from '../../src/audit/keys.ts';
import type { AuditEvent, Chain, Evidence } from './evidence.ts';
import {
  aHold,
  aLedgerOrder,
  anOrder,
  aRequest,
  bought,
  decided,
  event,
  halt,
  type Order,
  sold,
  sound,
  stopAt,
} from './oracle/sound-evidence.ts';
import { examine, type InvariantName, invariants, judge } from './oracle.ts';
import type { LedgerOrder, LedgerRequest } from './paper-control.ts';

// Evidence of one sound trade, and every way in which it would not be: each check sees what it is for.

const ledger = (changes: Partial<Evidence['ledger']>): Partial<Evidence> => ({
  ledger: { ...sound.ledger, ...changes },
});

const withoutEvent = (type: string): Partial<Evidence> => ({
  events: sound.events.filter((each) => each.type !== type),
});

const withEvents = (...events: readonly AuditEvent[]): Partial<Evidence> => ({ events: [...sound.events, ...events] });

const withBody = (type: string, changes: AuditEvent['body']): Partial<Evidence> => ({
  events: sound.events.map((each) => (each.type === type ? { ...each, body: { ...each.body, ...changes } } : each)),
});

const withTrade = (changes: Partial<Evidence['trades'][number]>): Partial<Evidence> => ({
  trades: sound.trades.map((trade) => ({ ...trade, ...changes })),
});

const withReservation = (changes: Partial<Evidence['reservations'][number]>): Partial<Evidence> => ({
  reservations: sound.reservations.map((row) => ({ ...row, ...changes })),
});

const withEntry = (changes: Partial<Order>): Partial<Evidence> => ({
  orders: sound.orders.map((order) => (order.purpose === 'entry' ? { ...order, ...changes } : order)),
});

const withChain = (change: (chain: Chain) => Partial<Chain>): Partial<Evidence> => ({
  chain: { ...sound.chain, ...change(sound.chain) },
});

const withRecord = (seq: number, changes: Partial<Chain['records'][number]>): Partial<Evidence> =>
  withChain(({ records }) => ({
    records: records.map((record) => (record.seq === seq ? { ...record, ...changes } : record)),
  }));

const secondEntry = { ...aLedgerOrder(3, 'rte-2', 'BUY'), quantity: '0.4' };
const twoEntries = {
  ...ledger({ orders: [...sound.ledger.orders, secondEntry] }),
  orders: [...sound.orders, anOrder('rte-2', 'entry', { generation: '2' })],
};
const late = { acceptedAtMs: 8_300, receivedAtMs: 8_300 };
const anEntryAfter = (orders: Partial<LedgerOrder>, request: Partial<LedgerRequest>): Partial<Evidence> => ({
  ...ledger({
    orders: [{ ...aLedgerOrder(1, 'rte-1', 'BUY'), ...orders }],
    requests: [{ ...aRequest(1, 'rte-1'), ...request }],
  }),
  holds: [aHold()],
});
const unknownEntry = event('OrderUnknown', { clientOrderId: 'rte-1' }, 1_000);
const openPosition = { ...ledger({ fills: [bought] }), fills: sound.fills.slice(0, 1) };
const frozen = (looksAtMs: readonly number[], untilMs: number | null): Partial<Evidence> => ({
  holds: [aHold({ level: 'frozen' })],
  sweeps: [
    {
      hold_id: 'hold-1',
      hold_version: '1',
      ended_at_ms: untilMs === null ? null : '9500',
      outcome: untilMs === null ? null : 'clear',
    },
  ],
  ...ledger({
    orders: [{ ...aLedgerOrder(1, 'rte-1', 'BUY'), status: untilMs === null ? 'NEW' : 'CANCELED' }],
    closings: untilMs === null ? [] : [{ orderId: 1, status: 'CANCELED', closedAtMs: untilMs }],
    requests: looksAtMs.map((receivedAtMs, i) => ({
      ...aRequest(i, ''),
      method: 'GET',
      path: '/api/v3/openOrders',
      receivedAtMs,
    })),
  }),
});

const broken: readonly (readonly [InvariantName, string, Partial<Evidence>])[] = [
  ['I1', 'a second entry order', twoEntries],
  ['I1', 'an id that was taken twice', ledger({ orders: [...sound.ledger.orders, aLedgerOrder(3, 'rte-1', 'BUY')] })],
  ['I1', 'an id that was sent again', ledger({ requests: [...sound.ledger.requests, aRequest(3, 'rtx-1', '2000')] })],
  [
    'I2',
    'an entry for more than its trade',
    ledger({ orders: [{ ...aLedgerOrder(1, 'rte-1', 'BUY'), quantity: '1.1' }] }),
  ],
  ['I2', 'two entries that come to more than the trade', twoEntries],
  [
    'I2',
    'an exit for more than is held',
    ledger({ orders: [aLedgerOrder(1, 'rte-1', 'BUY'), { ...aLedgerOrder(2, 'rtx-1', 'SELL'), quantity: '1' }] }),
  ],
  ['I3', 'a reservation beyond the cap', withReservation({ quantity: '1.01' })],
  ['I3', 'a fill that makes it more than the cap', ledger({ fills: [{ ...bought, quoteQuantity: '101' }, sold] })],
  [
    'I3',
    'a cap that is not the account’s',
    { accounts: [{ account_id: 'main', limits_version: '1', limits: { totalExposureCap: '90' } }] },
  ],
  [
    'I4',
    'a position without a monitor',
    { workflows: sound.workflows.filter((each) => each.workflowId !== 'position-t') },
  ],
  [
    'I4',
    'a monitor that came late',
    { workflows: sound.workflows.map((each) => ({ ...each, startedAtMs: 6_100, closedAtMs: 9_000 })) },
  ],
  [
    'I4',
    'a monitor that came late, also for a venue that did not answer',
    {
      ...ledger({ requests: sound.ledger.requests.map((each) => ({ ...each, receivedAtMs: 7_000, httpStatus: 503 })) }),
      workflows: sound.workflows.map((each) => ({ ...each, startedAtMs: 32_000, closedAtMs: 39_000 })),
    },
  ],
  [
    'I4',
    'two monitors',
    {
      workflows: [...sound.workflows, ...sound.workflows].map((each) => ({
        ...each,
        status: 'RUNNING',
        closedAtMs: null,
      })),
    },
  ],
  ['I4', 'a monitor that ended before its position', openPosition],
  [
    'I5',
    'an event that is there twice',
    withChain(({ records }) => ({ records: [...records, ...records.slice(0, 1)] })),
  ],
  ...['TradeDecided', 'OrderIntent', 'OrderAcked', 'Fill', 'PositionOpened', 'StopArmed', 'StopTriggered']
    .concat(['ExitIntent', 'ExitAcked', 'PositionClosed', 'AlertRaised'])
    .map((type): [InvariantName, string, Partial<Evidence>] => ['I5', `no record ${type}`, withoutEvent(type)]),
  ['I5', 'a release without a record', withReservation({ voided_quantity: '0.4' })],
  ['I5', 'a record that is there twice', withEvents(event('PositionClosed', {}))],
  ['I5', 'a transition that is missing', withBody('OrderAcked', { from: 'partiallyFilled' })],
  ['I6', 'a record with another content', withRecord(2, { body: '{"b":3}' })],
  ['I6', 'a record with another content and leaf', withRecord(2, { body: '{"b":3}', leaf: leafOf('{"b":3}') })],
  ['I6', 'a record that does not follow', withRecord(3, { prev: '0'.repeat(64) })],
  ['I6', 'a record that is gone', withChain(({ records }) => ({ records: records.filter(({ seq }) => seq !== 2) }))],
  [
    'I6',
    'a tail that was cut together with its head',
    withChain(({ records }) => ({
      records: records.slice(0, 2),
      head: { seq: 2, hash: records[1]?.hash ?? '' },
      checkpoints: sound.chain.checkpoints.slice(0, 2),
    })),
  ],
  ['I6', 'a head that stands elsewhere', withChain(({ head }) => ({ head: { ...head, seq: 2 } }))],
  [
    'I6',
    'a checkpoint by another key',
    withChain(() => ({
      publicKey: encodePublicKey(
        publicKeyOf({ name: 'ratchet/audit', key: generateKeyPairSync('ed25519').privateKey }),
      ),
    })),
  ],
  ['I6', 'a checkpoint that no file has', withChain(({ notes }) => ({ notes: notes?.slice(1) ?? [] }))],
  ['I7', 'an order nobody intended', ledger({ orders: [...sound.ledger.orders, secondEntry] })],
  [
    'I7',
    'an intent that came after its order',
    { events: sound.events.map((each) => (each.type === 'OrderIntent' ? { ...each, recordedAtMs: 1_003 } : each)) },
  ],
  [
    'I7',
    'a send that was repeated, although the venue refused it',
    ledger({ requests: [...sound.ledger.requests, { ...aRequest(3, 'rtx-1'), accepted: false, code: -1021 }] }),
  ],
  ['I7', 'a send under a timestamp of its own', ledger({ requests: [aRequest(1, 'rte-1', '1001')] })],
  ['I8', 'an entry sent after a halt', anEntryAfter({}, { receivedAtMs: 5_251 })],
  ['I8', 'an entry accepted after a halt', anEntryAfter(late, { receivedAtMs: 5_100 })],
  ['I9', 'an order that is left and no alert', frozen([6_000, 9_000], null)],
  ['I9', 'a single look', frozen([6_000], 5_500)],
  ['I9', 'a look that was not empty', frozen([5_400, 9_000], 5_500)],
  ['I9', 'two looks too close', frozen([6_000, 8_900], 5_500)],
  ['I10', 'a hold that is gone', withEvents(halt)],
  [
    'I10',
    'a hold that was resumed and is in force',
    { holds: [aHold()], ...withEvents(event('ResumeApplied', { holdId: 'hold-1' })) },
  ],
  ['I10', 'a hold that nobody lifted and is over', { holds: [aHold({ lifted_at_ms: '6000' })], ...withEvents(halt) }],
  [
    'I10',
    'a hold that one person lifted',
    {
      holds: [aHold({ lifted_at_ms: '6000' })],
      resumeApprovals: 2,
      ...withEvents(halt, event('ResumeApplied', { holdId: 'hold-1' })),
    },
  ],
  ['I10', 'a trade that was approved under a hold', { holds: [aHold()], ...withTrade({ decided_at_ms: '5300' }) }],
  [
    'I11',
    'an exit that a halt refused',
    { orders: [...sound.orders, anOrder('rtx-2', 'exit', { status: 'denied', reason_code: 'TRADING_STATE_BLOCKED' })] },
  ],
  ['I11', 'an exit that never went out', ledger({ requests: sound.ledger.requests.slice(0, 1) })],
  ['I12', 'an order that stays unknown', withEntry({ in_doubt: true })],
  ['I12', 'a parked order without an alert', withEntry({ status: 'parked', in_doubt: true })],
  ['I12', 'an order that is rejected and stands at the venue', withEntry({ status: 'rejected' })],
  [
    'I12',
    'an order that has been unknown for too long',
    { ...withEntry({ in_doubt: true }), gatheredAtMs: 61_001, ...withEvents(unknownEntry) },
  ],
  [
    'I12',
    'an order that was unknown for too long',
    {
      events: [
        unknownEntry,
        event('OrderResolved', { clientOrderId: 'rte-1', status: 'filled', inDoubt: false }, 61_001),
      ],
    },
  ],
  ['I13', 'a fill the book does not have', { fills: sound.fills.slice(1) }],
  ['I13', 'a fill the venue does not know', ledger({ fills: [bought] })],
  ['I13', 'a fill with another fee', { fills: sound.fills.map((fill) => ({ ...fill, fee: '0.5' })) }],
  ['I13', 'a fill that is there twice', { fills: [...sound.fills, ...sound.fills.slice(0, 1)] }],
  ['I13', 'more sold than held', ledger({ fills: [bought, sold, { ...sold, tradeId: 9 }] })],
  ['I13', 'a closed trade that still holds', { ...openPosition, ...withTrade({ result: [{ pnl: '-100' }] }) }],
  ['I13', 'a result that is off by the least', withTrade({ result: [{ pnl: '9.78012' }] })],
  [
    'I13',
    'a stop that the venue still holds for a closed trade',
    {
      ...ledger({ orders: [...sound.ledger.orders, { ...aLedgerOrder(3, 'rts-1', 'SELL'), status: 'NEW' }] }),
      orders: [...sound.orders, anOrder('rts-1', 'stop', { status: 'canceled' })],
    },
  ],
  ['I14', 'a stop that fell', withEvents(event('StopMoved', stopAt('110.99')))],
  ['I14', 'a trigger above the stop', withBody('StopTriggered', { price: '111.01' })],
  ['I14', 'a trigger on a price that is none', withBody('StopTriggered', { price: 'NaN' })],
  ['I15', 'a decision on no price', withBody('TradeDecided', { price: undefined })],
  ['I15', 'a decision on a price of zero', withBody('TradeDecided', { price: { ...decided.price, last: '0' } })],
  ['I15', 'a decision on an old price', withBody('TradeDecided', { price: { ...decided.price, ageMs: 5_001 } })],
  ['I16', 'a reservation that stayed', withReservation({ posted_quantity: '0.4' })],
  ['I16', 'more given back than reserved', withReservation({ voided_quantity: '0.4' })],
  [
    'I16',
    'a parked entry without its reservation',
    {
      ...withTrade({ phase: 'placing' }),
      ...withEntry({ status: 'parked' }),
      ...withReservation({ posted_quantity: '0', voided_quantity: '1' }),
    },
  ],
  [
    'I17',
    'a difference that is found again',
    withEvents(
      event('DifferenceFound', { key: 'k' }, 3_000, null),
      event('DifferenceFound', { key: 'k' }, 4_000, null),
    ),
  ],
  ['I18', 'a secret in a log', { secrets: { places: 9, found: ['logs/worker.log'] } }],
  ['I19', 'a history that does not replay', { replay: { histories: 9, failed: ['entry-t'] } }],
  ['I20', 'a lifecycle that goes on', { workflows: sound.workflows.map((each) => ({ ...each, status: 'RUNNING' })) }],
  [
    'I20',
    'a lifecycle that failed',
    { workflows: [{ workflowId: 'breaker-main', status: 'FAILED', startedAtMs: 1, closedAtMs: 2 }] },
  ],
  ['I20', 'a message nobody has delivered', { undelivered: 1 }],
  ['I20', 'a trade that waits for nothing', withTrade({ phase: 'closing' })],
];

/** What must not be taken for a fault. */
const allowed: readonly (readonly [InvariantName, string, Partial<Evidence>])[] = [
  [
    'I1',
    'an orphan that an alert names',
    {
      ...twoEntries,
      alerts: [
        {
          ...(sound.alerts[0] as Evidence['alerts'][number]),
          code: 'ORPHAN_ORDER',
          context: { clientOrderId: 'rte-2' },
        },
      ],
    },
  ],
  [
    'I4',
    'a monitor that waited for a worker',
    {
      workflows: sound.workflows.map((each) => ({ ...each, startedAtMs: 8_000, closedAtMs: 9_000 })),
      outages: [{ fromMs: 1_100, toMs: 7_000 }],
    },
  ],
  [
    'I4',
    'a monitor that waited for a venue that did not answer',
    {
      ...ledger({ requests: sound.ledger.requests.map((each) => ({ ...each, receivedAtMs: 2_000, httpStatus: 503 })) }),
      workflows: sound.workflows.map((each) => ({ ...each, startedAtMs: 8_000, closedAtMs: 9_000 })),
    },
  ],
  [
    'I6',
    'records that wait for their place',
    withChain(({ records }) => ({
      records: [...records, { insertNo: 9, eventId: 'e9', body: '{}', seq: null, prev: null, leaf: null, hash: null }],
    })),
  ],
  ['I8', 'a zombie that the venue refused', anEntryAfter({}, { receivedAtMs: 9_000, code: -1021, accepted: false })],
  [
    'I8',
    'an entry on its way at the halt',
    anEntryAfter({ acceptedAtMs: 5_200, receivedAtMs: 5_200 }, { receivedAtMs: 5_200 }),
  ],
  [
    'I12',
    'an order that is still being asked for',
    { ...withEntry({ in_doubt: true }), gatheredAtMs: 60_999, ...withEvents(unknownEntry) },
  ],
  ['I9', 'two empty looks', frozen([6_000, 9_000], 5_500)],
  [
    'I17',
    'a difference that went and came back',
    withEvents(
      event('DifferenceFound', { key: 'k' }),
      event('DifferenceGone', { key: 'k' }),
      event('DifferenceFound', { key: 'k' }),
    ),
  ],
];

describe('the oracle', () => {
  test('finds nothing where nothing is wrong, and has something to judge of it', () => {
    expect(judge(sound)).toEqual([]);
    const idle = Object.entries(examine(sound)).filter(([, { n }]) => n === 0);
    expect(idle.map(([name]) => name)).toEqual(['I8', 'I9', 'I10', 'I12', 'I17']);
  });

  test('has a check for each of the twenty', () => {
    expect(Object.keys(invariants)).toEqual(Array.from({ length: 20 }, (_, i) => `I${i + 1}`));
    expect(new Set(broken.map(([name]) => name)).size).toBe(20);
  });

  test.each(broken)('%s finds %s', (name, _, changes) => {
    expect(invariants[name]({ ...sound, ...changes }).violations).not.toEqual([]);
  });

  test.each(allowed)('%s allows %s', (name, _, changes) => {
    expect(invariants[name]({ ...sound, ...changes }).violations).toEqual([]);
  });
});
