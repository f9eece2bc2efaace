import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import { benchSymbol } from '../support/order-bench/bench.ts';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, market } from './stories.ts';

const theater = aTheater();

describe('the order bench', () => {
  test('takes a trade from the request to the money', async () => {
    const bench = await theater.open();
    const { decision, entry, closed } = await bench.trade({ entry: market });
    expect(decision).toBe('approved');
    expect(entry).toMatchObject({ status: 'filled', filledQuantity: '1' });
    // A thousandth of the base and of the quote is the venue's; both trades cost a cent of spread.
    expect(closed).toMatchObject({ exitQuantity: '0.999', pnl: '-0.20988001', dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('says of a strike that it was carried out, and where', async () => {
    const bench = await theater.open();
    const { entry, struck } = await bench.trade({ strikes: [{ activity: 'placeOrder', point: 0, kind: 'crash' }] });
    expect(struck).toEqual(['crash placeOrder database #0']);
    expect(entry).toMatchObject({ status: 'filled' });
  });

  test('sees a second order that somebody sent under the same id', async () => {
    const bench = await theater.open({ watch: false });
    const { entry } = await bench.trade({ exits: false });
    const [sent] = bench.simulator.requests().filter(({ method }) => method === 'POST');
    await bench.venue.placeOrder(
      {
        clientOrderId: entry?.clientOrderId ?? '',
        symbol: benchSymbol,
        side: 'BUY',
        orderType: 'MARKET',
        timeInForce: null,
        quantity: decimal('1'),
        limitPrice: null,
        stopPrice: null,
        signedAtMs: Number(sent?.parameters['timestamp']),
        recvWindowMs: 3_000,
      },
      'entry',
    );
    const faults = judgeBench(await bench.evidence()).map((fault) => fault.split(':')[0]);
    expect(faults).toEqual(expect.arrayContaining(['I1', 'I2', 'I7']));
  });
});
