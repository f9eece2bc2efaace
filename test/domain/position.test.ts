import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, decimal, isZero, multiply, negate, subtract, zero } from '../../src/domain/decimal.ts';
import {
  applyFill,
  openPosition,
  type Position,
  type PositionFill,
  realizedPnl,
  sellableQuantity,
  unrealizedPnl,
} from '../../src/domain/position.ts';
import { anyScaled, centPrice, decimalOfScaled } from '../support/arbitrary-decimal.ts';

type FillWords = Partial<{ id: string; fee: string; feeAsset: string; feeAssetPrice: string }>;

const aFill = (
  purpose: 'entry' | 'exit',
  quantity: string,
  price: string,
  { id = `${purpose}-${quantity}-${price}`, fee = '0', feeAsset = 'USDT', feeAssetPrice }: FillWords = {},
): PositionFill => ({
  venueTradeId: id,
  purpose,
  quantity: decimal(quantity),
  quoteQuantity: multiply(decimal(quantity), decimal(price)),
  fee: decimal(fee),
  feeAsset,
  feeAssetPrice: feeAssetPrice === undefined ? null : decimal(feeAssetPrice),
});

const aPosition = (side: 'long' | 'short', ...fills: PositionFill[]): Position =>
  fills.reduce(applyFill, openPosition({ side, baseAsset: 'BTC', quoteAsset: 'USDT' }));

describe('a long position', () => {
  test('earns what the sale brings above the purchase, less fees', () => {
    const position = aPosition(
      'long',
      aFill('entry', '2', '100', { fee: '0.2' }),
      aFill('exit', '2', '110', { fee: '0.22' }),
    );
    expect([realizedPnl(position), sellableQuantity(position)]).toEqual(['19.58', '0']);
  });

  test('has less to sell where the fee is taken from what was bought', () => {
    const position = aPosition('long', aFill('entry', '2', '100', { fee: '0.002', feeAsset: 'BTC' }));
    expect([sellableQuantity(position), position.quoteFee]).toEqual(['1.998', '0']);
    const closed = applyFill(position, aFill('exit', '1.998', '110'));
    expect([sellableQuantity(closed), realizedPnl(closed)]).toEqual(['0', '19.78']);
  });

  test('is worth the difference to its average price while it is open', () => {
    const position = aPosition('long', aFill('entry', '1', '100'), aFill('entry', '1', '110'));
    expect(unrealizedPnl(position, decimal('108'))).toBe('6');
    expect(unrealizedPnl(applyFill(position, aFill('exit', '1.5', '108')), decimal('108'))).toBe('1.5');
  });

  test('spreads what it paid over what it got, net of fees in the base asset', () => {
    const position = aPosition('long', aFill('entry', '1', '99', { fee: '0.01', feeAsset: 'BTC' }));
    expect(unrealizedPnl(position, decimal('100'))).toBe('0');
  });
});

describe('a short position', () => {
  test('earns what the purchase costs below the sale, less fees', () => {
    const position = aPosition(
      'short',
      aFill('entry', '2', '100', { fee: '0.2' }),
      aFill('exit', '2', '90', { fee: '0.18' }),
    );
    expect([realizedPnl(position), sellableQuantity(position)]).toEqual(['19.62', '0']);
  });

  test('has more to buy back where the fee is taken from what was bought', () => {
    const position = aPosition(
      'short',
      aFill('entry', '2', '100'),
      aFill('exit', '1', '90', { fee: '0.001', feeAsset: 'BTC' }),
    );
    expect(sellableQuantity(position)).toBe('1.001');
  });

  test('is worth the difference the other way round while it is open', () => {
    expect(unrealizedPnl(aPosition('short', aFill('entry', '2', '100')), decimal('95'))).toBe('10');
  });
});

describe('fees in a third asset', () => {
  test('count at the price given with the fill', () => {
    const position = aPosition(
      'long',
      aFill('entry', '1', '100', { fee: '0.01', feeAsset: 'BNB', feeAssetPrice: '600' }),
    );
    expect([position.quoteFee, position.unvaluedFees]).toEqual(['6', {}]);
  });

  test('are kept by asset where nobody knows their price', () => {
    const position = aPosition(
      'long',
      aFill('entry', '1', '100', { fee: '0.01', feeAsset: 'BNB' }),
      aFill('exit', '1', '100', { fee: '0.02', feeAsset: 'BNB' }),
    );
    expect([position.quoteFee, position.unvaluedFees, realizedPnl(position)]).toEqual(['0', { BNB: '0.03' }, '0']);
  });
});

describe('applyFill', () => {
  test('tells the two sides of a trade with oneself apart', () => {
    const position = aPosition('long', aFill('entry', '1', '100', { id: '7' }), aFill('exit', '1', '100', { id: '7' }));
    expect([position.entryQuantity, position.exitQuantity]).toEqual(['1', '1']);
  });

  const anyFill = fc
    .record({
      id: fc.nat({ max: 1_000_000 }).map(String),
      purpose: fc.constantFrom('entry' as const, 'exit' as const),
      quantity: anyScaled(1n, 10n ** 9n).map(decimalOfScaled),
      price: centPrice(),
      fee: anyScaled(0n, 10n ** 6n).map(decimalOfScaled),
      feeAsset: fc.constantFrom('BTC', 'USDT', 'BNB'),
      feeAssetPrice: fc.option(centPrice()),
    })
    .map(({ id, purpose, quantity, price, fee, feeAsset, feeAssetPrice }): PositionFill => {
      const quoteQuantity = multiply(quantity, price);
      return { venueTradeId: id, purpose, quantity, quoteQuantity, fee, feeAsset, feeAssetPrice };
    });
  const sameFill = (fill: PositionFill) => `${fill.purpose}:${fill.venueTradeId}`;
  const anyFills = fc.uniqueArray(anyFill, { maxLength: 10, selector: sameFill });

  test('gives the same in whatever order and however often the fills come', () => {
    const deliveries = anyFills.chain((fills) =>
      fc.tuple(fc.constant(fills), fc.shuffledSubarray([...fills, ...fills], { minLength: fills.length * 2 })),
    );
    fc.assert(
      fc.property(deliveries, ([fills, delivered]) => {
        const sums = (position: Position) => ({ ...position, fillKeys: [...position.fillKeys].sort() });
        expect(sums(aPosition('long', ...delivered))).toEqual(sums(aPosition('long', ...fills)));
      }),
    );
  });

  test('leaves nothing to be made of a position that is flat', () => {
    fc.assert(
      fc.property(anyFills, centPrice(), (fills, price) => {
        const position = aPosition('long', ...fills);
        if (isZero(sellableQuantity(position))) expect(unrealizedPnl(position, price)).toBe('0');
      }),
    );
  });

  test('makes a short position out of a long one by turning every sign but that of the fees', () => {
    fc.assert(
      fc.property(anyFills, (fills) => {
        const [long, short] = [aPosition('long', ...fills), aPosition('short', ...fills)];
        expect(add(realizedPnl(long), long.quoteFee)).toBe(negate(add(realizedPnl(short), short.quoteFee)));
      }),
    );
  });

  test('keeps money: what came in less what went out is the P&L, fill by fill', () => {
    fc.assert(
      fc.property(anyFills, (fills) => {
        const cash = fills.reduce((total, fill) => {
          const moved = fill.purpose === 'exit' ? fill.quoteQuantity : negate(fill.quoteQuantity);
          const thirdPrice = fill.feeAsset === 'BNB' ? fill.feeAssetPrice : null;
          const fee = fill.feeAsset === 'USDT' ? fill.fee : thirdPrice === null ? zero : multiply(fill.fee, thirdPrice);
          return subtract(add(total, moved), fee);
        }, zero);
        expect(realizedPnl(aPosition('long', ...fills))).toBe(cash);
      }),
    );
  });
});
