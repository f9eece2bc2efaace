import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EntryRequest } from '../../src/contracts/messages/entry-request.ts';
import { isMore, larger, subtract } from '../../src/domain/decimal.ts';
import { type ExitBook, readExitBook, requestExit, settleTrade } from '../../src/store/exits/exits.ts';
import { commitIntent } from '../../src/store/orders/intents.ts';
import { denyOrder, parkOrder } from '../../src/store/orders/order-settling.ts';
import { saveBalances } from '../../src/store/trading-state/accounts.ts';
import { aDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  aFill,
  alertCodes,
  aRequest,
  committed,
  d,
  decide,
  decisionOf,
  enter,
  entryIntent,
  exitIntent,
  messagesTo,
  nextTradeId,
  nowMs,
  openAccount,
  phaseOf,
  placeEntry,
  recordsOf,
  report,
  reservationOf,
  typesOf,
  venueOrder,
} from './fixtures.ts';

let database: TestDatabase;
let request: EntryRequest;
let count = 0;
beforeAll(async () => {
  database = await aDatabase({ poolMax: 20 });
});
afterAll(() => database.close());
beforeEach(async () => {
  count += 1;
  const account = `account-${count}`;
  await openAccount(database.db, account);
  request = aRequest({ tradeId: `trade-${count}`, account });
});

const ask = (changed: object = {}) =>
  requestExit(database.db, {
    tradeId: request.tradeId,
    reason: 'operator',
    source: 'api',
    actor: 'anna',
    nowMs: nowMs + 100,
    ...changed,
  });

/** Nothing more than 0.001 is left of any leg. */
const isDustLeft = ({ legs }: ExitBook): boolean =>
  legs.every(({ entryQuantity, exitQuantity, baseFee }) => {
    const left = larger(d('0'), subtract(subtract(entryQuantity, exitQuantity), baseFee));
    return !isMore(left, d('0.001'));
  });

const settle = (isSettled = isDustLeft, atMs = nowMs + 1_000) =>
  settleTrade(database.db, { tradeId: request.tradeId, isSettled, nowMs: atMs });

/** Sells 1 BTC at `price` and reports it filled. */
async function sell(quantity = '1', price = '110', generation = 1) {
  const exit = committed(await commitIntent(database.db, exitIntent(request, d(quantity), generation)));
  const fill = aFill(String(nextTradeId()), quantity, { price: d(price), fee: d('0.11') });
  await report(database.db, venueOrder(exit, 'filled', quantity, [fill]));
  return exit;
}

describe('requestExit', () => {
  test('starts the exit of an open trade, once, and blocks its entries', async () => {
    await enter(database.db, request);

    expect(await ask()).toBe('requested');
    expect(await ask({ reason: 'timeStop', source: 'positionMonitoring' })).toBe('already');

    expect(await phaseOf(database.db, request.tradeId)).toBe('closing');
    const messages = await messagesTo(database.db, `exit-${request.tradeId}`);
    expect(messages).toMatchObject([
      {
        action: 'start',
        workflow_type: 'exit',
        task_queue: 'ratchet-guards',
        start_args: [
          {
            tradeId: request.tradeId,
            venue: 'paper',
            account: request.account,
            symbol: 'BTC/USDT',
            reason: 'operator',
          },
        ],
      },
    ]);
    const asked = (await recordsOf(database.db, request.tradeId)).filter(({ type }) => type === 'ExitRequested');
    expect(asked).toMatchObject([{ body: { actor: { type: 'user', id: 'anna' }, reason: 'operator' } }]);
    const late = entryIntent(request, { clientOrderId: `${request.tradeId}-e2`, generation: 2 });
    expect(await commitIntent(database.db, late)).toEqual({ outcome: 'exit-requested' });
  });

  test('lets exactly one of many through', async () => {
    await enter(database.db, request);
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask()));
    expect(answers.filter((answer) => answer === 'requested')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'already')).toHaveLength(29);
    expect(await messagesTo(database.db, `exit-${request.tradeId}`)).toHaveLength(1);
  });

  test('takes a trade that has nothing filled yet', async () => {
    await placeEntry(database.db, request);
    expect(await ask()).toBe('requested');
  });

  test('refuses what is not open, and what nobody knows', async () => {
    expect(await ask()).toBe('unknown-trade');
    await decide(database.db, request, () => ({ decision: decisionOf(request, 'denied'), reservations: [] }));
    expect(await ask()).toBe('not-open');
  });

  test('answers the same command again with its first result', async () => {
    await enter(database.db, request);
    const commandId = `${request.tradeId}-close`;
    expect(await ask({ commandId })).toBe('requested');
    expect(await ask({ commandId, nowMs: nowMs + 999 })).toBe('requested');
    await expect(ask({ commandId, actor: 'ben' })).rejects.toMatchObject({ code: 'COMMAND_ID_MISMATCH' });
  });
});

describe('readExitBook', () => {
  test('shows what the exit decides on', async () => {
    request = { ...request, exit: { takeProfit: { price: d('120') } } };
    const order = await enter(database.db, request, { fee: d('0.001'), feeAsset: 'BTC' });
    expect(await readExitBook(database.db, request.tradeId)).toBeUndefined();
    await ask({ reason: 'takeProfit' });
    const balances = [{ asset: 'BTC', free: d('0.998'), locked: d('0') }];
    await saveBalances(database.db, { account: request.account, balances, equity: null, fault: 'no price', nowMs });

    expect(await readExitBook(database.db, request.tradeId)).toEqual({
      tradeId: request.tradeId,
      account: request.account,
      venue: 'paper',
      reason: 'takeProfit',
      takeProfitPrice: '120',
      legs: [
        {
          leg: 0,
          symbol: 'BTC/USDT',
          exitSide: 'SELL',
          entryQuantity: '1',
          exitQuantity: '0',
          baseFee: '0.001',
          writtenOff: '0',
          freeBase: '0.998',
          orders: [
            {
              clientOrderId: order.clientOrderId,
              purpose: 'entry',
              generation: 1,
              orderType: 'LIMIT',
              status: 'filled',
              inDoubt: false,
              fillsComplete: true,
              filledQuantity: '1',
              createdAtMs: nowMs,
              updatedAtMs: nowMs + 10,
            },
          ],
        },
      ],
    });
  });
});

describe('settleTrade', () => {
  test('counts the money, closes the trade once and tells whoever watched it', async () => {
    request = {
      ...request,
      exit: { trailingStop: { by: 'percent', distance: d('1'), trigger: 'last' } },
    };
    await enter(database.db, request, { fee: d('0.1') });
    await ask();
    await sell();

    const closed = await settle();

    expect(closed).toEqual([
      {
        tradeId: request.tradeId,
        symbol: 'BTC/USDT',
        side: 'long',
        exitReason: 'operator',
        entryQuantity: '1',
        entryQuote: '100',
        exitQuantity: '1',
        exitQuote: '110',
        fees: '0.21',
        pnl: '9.79',
        pnlAsset: 'USDT',
        dust: '0',
        closedAtMs: nowMs + 1_000,
      },
    ]);
    expect(await settle(isDustLeft, nowMs + 5_000)).toEqual(closed);
    expect(await phaseOf(database.db, request.tradeId)).toBe('closed');
    for (const workflow of ['position', 'stop']) {
      const told = (await messagesTo(database.db, `${workflow}-${request.tradeId}`)).filter(
        ({ signal_name }) => signal_name === 'positionClosed',
      );
      expect(told).toMatchObject([{ signal_args: closed }]);
    }
    const types = await typesOf(database.db, request.tradeId);
    expect(types.filter((type) => type === 'PositionClosed')).toHaveLength(1);
    expect(
      await database.db.selectFrom('position').select('is_open').where('trade_id', '=', request.tradeId).execute(),
    ).toEqual([{ is_open: false }]);
  });

  test('leaves dust, valued zero', async () => {
    await enter(database.db, request, { fee: d('0.0005'), feeAsset: 'BTC' });
    await ask();
    await sell('0.999');
    expect(await settle()).toMatchObject([{ dust: '0.0005', exitQuantity: '0.999', pnl: '9.78' }]);
  });

  test('does not settle before anybody has asked for the exit', async () => {
    await enter(database.db, request);
    expect(await settle(() => true)).toBeNull();
    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
  });

  test('does not settle while something is left, may still fill, or has fills that are not here', async () => {
    const entry = await placeEntry(database.db, request);
    await report(database.db, venueOrder(entry, 'partiallyFilled', '0.5', [aFill(String(nextTradeId()), '0.5')]));
    await ask();
    expect(await settle(() => true)).toBeNull();
    await report(database.db, venueOrder(entry, 'canceled', '0.5'));
    expect(await settle()).toBeNull();
    const exit = committed(await commitIntent(database.db, exitIntent(request, d('0.5'))));
    expect(await settle(() => true)).toBeNull();
    await report(database.db, venueOrder(exit, 'filled', '0.5'));
    expect(await settle(() => true)).toBeNull();
    await report(database.db, venueOrder(exit, 'filled', '0.5', [aFill(String(nextTradeId()), '0.5')]));
    expect(await settle()).toMatchObject([{ exitQuantity: '0.5', dust: '0' }]);
  });

  test('waits for a parked entry, and not for a parked exit', async () => {
    await enter(database.db, request);
    await ask();
    const first = committed(await commitIntent(database.db, exitIntent(request, d('1'))));
    await parkOrder(database.db, { clientOrderId: first.clientOrderId, nowMs });
    await sell('1', '110', 2);
    expect(await settle()).toMatchObject([{ exitQuantity: '1' }]);

    request = { ...request, tradeId: `${request.tradeId}-parked` };
    const entry = await placeEntry(database.db, request);
    await ask();
    await parkOrder(database.db, { clientOrderId: entry.clientOrderId, nowMs });
    expect(await settle(() => true)).toBeNull();
  });

  test('ends a trade that nothing was bought for, and gives its reservation back', async () => {
    await decide(database.db, request);
    await ask();
    expect(await settle()).toMatchObject([{ entryQuantity: '0', pnl: '0', exitReason: 'operator' }]);
    expect(await phaseOf(database.db, request.tradeId)).toBe('unfilled');
    expect(await reservationOf(database.db, request.tradeId)).toMatchObject({ voided: '1' });
    expect(await commitIntent(database.db, entryIntent(request))).toEqual({ outcome: 'exit-requested' });
    expect(await messagesTo(database.db, `position-${request.tradeId}`)).toEqual([]);
  });

  test('settles after the entry was denied on its way', async () => {
    await decide(database.db, request);
    await ask();
    const order = {
      tradeId: request.tradeId,
      leg: 0,
      purpose: 'entry',
      generation: 1,
      clientOrderId: 'never',
    } as const;
    await denyOrder(database.db, { order, code: 'ENTRY_WITHDRAWN', nowMs });
    expect(await phaseOf(database.db, request.tradeId)).toBe('closing');
    expect(await settle()).toMatchObject([{ entryQuantity: '0' }]);
    expect(await phaseOf(database.db, request.tradeId)).toBe('unfilled');
  });

  test('never closes over a fill that comes at the same moment', async () => {
    for (let round = 0; round < 20; round += 1) {
      request = { ...request, tradeId: `trade-${count}-${round}` };
      const entry = await placeEntry(database.db, request);
      await report(database.db, venueOrder(entry, 'canceled', '0.5', [aFill(String(nextTradeId()), '0.5')]));
      await ask();
      await sell('0.5');
      const late = venueOrder(entry, 'canceled', '0.7', [aFill(String(nextTradeId()), '0.2')]);

      const [settled] = await Promise.all([settle(), report(database.db, late)]);

      // Seen in time, the trade stays on its way out; too late, it is open again and a person is told.
      expect(await phaseOf(database.db, request.tradeId)).toBe(settled === null ? 'closing' : 'open');
    }
  });

  test('raises a fill that comes after the close', async () => {
    const entry = await placeEntry(database.db, request);
    await report(database.db, venueOrder(entry, 'canceled', '0.5', [aFill(String(nextTradeId()), '0.5')]));
    await ask();
    await sell('0.5');
    await settle();
    await report(database.db, venueOrder(entry, 'canceled', '0.7', [aFill(String(nextTradeId()), '0.2')]));
    expect(await phaseOf(database.db, request.tradeId)).toBe('open');
    expect(await alertCodes(database.db)).toContain('FILL_AFTER_CLOSE');
  });
});
