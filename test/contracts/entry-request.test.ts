import { describe, expect, test } from 'vitest';
import { parseEntryRequest } from '../../src/contracts/schemas/entry-request.ts';

const leg = (symbol: string, changed: object = {}) => ({ symbol, side: 'BUY', quantity: '1', ...changed });

const aRequest = (changed: object) => ({
  tradeId: 'pair-1',
  strategy: 'pairs',
  legs: [leg('BTC/USDT'), leg('ETH/USDT')],
  entry: { type: 'MARKET' },
  exit: { stopLoss: { price: '90' } },
  requestedAtMs: 1_795_262_400_000,
  ...changed,
});

const limit = { type: 'LIMIT', price: '100', expireAfterMs: 4_000 };

describe('legs', () => {
  test.each([
    { name: 'two at market', changed: {} },
    { name: 'four', changed: { legs: ['A/USDT', 'B/USDT', 'C/USDT', 'D/USDT'].map((symbol) => leg(symbol)) } },
    {
      name: 'each with its limit',
      changed: { entry: limit, legs: [leg('BTC/USDT'), leg('ETH/USDT', { price: '5' })] },
    },
    {
      name: 'that fill at once or not at all, without a window',
      changed: {
        entry: { type: 'LIMIT', price: '100', timeInForce: 'IOC' },
        legs: [leg('BTC/USDT'), leg('ETH/USDT', { price: '5' })],
      },
    },
    {
      name: 'with a trailing stop that waits for a price',
      changed: { exit: { trailingStop: { by: 'percent', distance: '1', activation: { price: '120' } } } },
    },
  ])('are taken: $name', ({ changed }) => {
    expect(parseEntryRequest(aRequest(changed))).toMatchObject({ ok: true });
  });

  test.each([
    { name: 'none', changed: { legs: [] }, field: 'legs', allowed: '1 to 4 legs, not 0' },
    {
      name: 'more than four, with their number',
      changed: { legs: ['A/USDT', 'B/USDT', 'C/USDT', 'D/USDT', 'E/USDT'].map((symbol) => leg(symbol)) },
      field: 'legs',
      allowed: '1 to 4 legs, not 5',
    },
    {
      name: 'the same symbol twice',
      changed: { legs: [leg('BTC/USDT'), leg('ETH/USDT'), leg('BTC/USDT')] },
      field: 'legs[2].symbol',
      allowed: 'another symbol than the legs before it',
    },
    {
      name: 'no limit of its own',
      changed: { entry: limit },
      field: 'legs[1].price',
      allowed: 'the limit price of this leg',
    },
    {
      name: 'a second limit for the first',
      changed: { entry: limit, legs: [leg('BTC/USDT', { price: '99' }), leg('ETH/USDT', { price: '5' })] },
      field: 'legs[0].price',
      allowed: "none: the first leg's is entry.price",
    },
    {
      name: 'a limit at market',
      changed: { legs: [leg('BTC/USDT'), leg('ETH/USDT', { price: '5' })] },
      field: 'legs[1].price',
      allowed: 'none: the entry is MARKET',
    },
    {
      name: 'resting without an end',
      changed: {
        entry: { type: 'LIMIT', price: '100' },
        legs: [leg('BTC/USDT'), leg('ETH/USDT', { price: '5' })],
      },
      field: 'entry.expireAfterMs',
      allowed: 'at most 5000, so that every leg is sent within validForMs',
    },
    {
      name: 'resting for longer than the request is valid for',
      changed: {
        entry: { ...limit, expireAfterMs: 30_001 },
        validForMs: 60_000,
        legs: [leg('BTC/USDT'), leg('ETH/USDT', { price: '5' })],
      },
      field: 'entry.expireAfterMs',
      allowed: 'at most 30000, so that every leg is sent within validForMs',
    },
    {
      name: 'a stop that is activated by the profit of the first leg alone',
      changed: { exit: { trailingStop: { by: 'percent', distance: '1', activation: { profitPercent: '2' } } } },
      field: 'exit.trailingStop.activation',
      allowed: 'a price: the profit of several legs is not that of the first',
    },
  ])('are refused: $name', ({ changed, field, allowed }) => {
    expect(parseEntryRequest(aRequest(changed))).toMatchObject({ ok: false, faults: [{ field, allowed }] });
  });

  test('are refused together with every other fault', () => {
    const refused = parseEntryRequest(aRequest({ legs: [leg('BTC/USDT'), leg('BTC/USDT')], validForMs: 'soon' }));
    expect(refused).toMatchObject({ faults: [{ field: 'validForMs' }, { field: 'legs[1].symbol' }] });
  });
});

describe('a stop at the venue', () => {
  const alone = (exit: object, legs = [leg('BTC/USDT')]) => parseEntryRequest(aRequest({ exit, legs }));

  test('has its standard terms where it names none', () => {
    expect(alone({ stopLoss: { price: '90' }, protectiveStop: {} })).toMatchObject({
      ok: true,
      request: {
        exit: { protectiveStop: { at: 'venue', limitOffsetBps: 50, moveStepBps: 20, moveIntervalMs: 60_000 } },
      },
    });
  });

  test('may follow a trailing stop', () => {
    const trailingStop = { by: 'percent', distance: '1' };
    expect(alone({ trailingStop, protectiveStop: { at: 'venue', moveStepBps: 5 } })).toMatchObject({ ok: true });
  });

  test.each([
    {
      name: 'is no end of a position by itself',
      result: () => alone({ protectiveStop: {} }),
      field: 'exit',
    },
    {
      name: 'needs a stop to be the stop of',
      result: () => alone({ timeStopMs: 60_000, protectiveStop: {} }),
      field: 'exit.protectiveStop',
    },
    {
      name: 'is for one leg',
      result: () => alone({ stopLoss: { price: '90' }, protectiveStop: {} }, [leg('BTC/USDT'), leg('ETH/USDT')]),
      field: 'exit.protectiveStop',
    },
    {
      name: 'is at the venue',
      result: () => alone({ stopLoss: { price: '90' }, protectiveStop: { at: 'home' } }),
      field: 'exit.protectiveStop.at',
    },
    {
      name: 'does not move at every tick',
      result: () => alone({ stopLoss: { price: '90' }, protectiveStop: { moveIntervalMs: 10 } }),
      field: 'exit.protectiveStop.moveIntervalMs',
    },
  ])('$name', ({ result, field }) => {
    const faults = expect.arrayContaining([expect.objectContaining({ field })]);
    expect(result()).toEqual({ ok: false, faults });
  });
});
