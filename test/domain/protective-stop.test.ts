import { describe, expect, test } from 'vitest';
import { decimal } from '../../src/domain/decimal.ts';
import { nextProtectionStep, type ProtectedPosition, type ProtectiveOrder } from '../../src/domain/protective-stop.ts';
import { nowMs, position, stop, terms } from './protected-position.ts';

const d = decimal;

const next = (part: Partial<ProtectedPosition> = {}, ...orders: readonly ProtectiveOrder[]) =>
  nextProtectionStep(position(part, ...orders), terms, nowMs);

describe('places', () => {
  test('one stop for what is held, at the local one, with its limit beyond it', () => {
    expect(next({ held: d('0.99951') })).toEqual({
      step: 'place',
      generation: 1,
      terms: { quantity: '0.999', stopPrice: '95', limitPrice: '94.52' },
    });
  });

  test('the other way round for a short position', () => {
    expect(next({ side: 'short', localStop: d('105.001') })).toMatchObject({
      terms: { quantity: '1', stopPrice: '105.01', limitPrice: '105.54' },
    });
  });

  test.each([
    { name: 'no guard has a price', part: { localStop: null }, untilMs: null },
    { name: 'the guards are not armed', part: { localStop: null, isArmed: false }, untilMs: nowMs + 1_000 },
    { name: 'what is held is dust', part: { held: d('0.0009') }, untilMs: null },
    { name: 'what is held is worth too little', part: { held: d('0.05') }, untilMs: null },
  ])('nothing while $name', ({ part, untilMs }) => {
    expect(next(part)).toMatchObject({ step: 'wait', untilMs });
  });

  test.each([null, '94', '95', '100'])('at a last price of %s all the same: the venue knows a newer one', (price) => {
    expect(next({ price: price === null ? null : d(price) })).toMatchObject({ step: 'place' });
  });

  test('nothing and asks for the exit when the venue says that it would trigger at once', () => {
    expect(next({ price: null }, stop({ status: 'rejected', wouldTrigger: true }))).toMatchObject({ step: 'exit' });
  });

  test.each([
    { status: 'canceled' as const, again: 2 },
    { status: 'expired' as const, again: 2 },
    { status: 'rejected' as const, again: 2 },
    { status: 'denied' as const, again: 2 },
    { status: 'parked' as const, again: 2 },
  ])('again at once when one was $status', ({ status, again }) => {
    // What is presumed dead stays in doubt: it is a person's by now.
    const ended = stop({ status, inDoubt: status === 'parked' });
    expect(next({}, ended)).toMatchObject({ step: 'place', generation: again });
  });

  test('after a growing pause when one after the other is refused, of a minute at most', () => {
    const refused = (count: number) =>
      Array.from({ length: count }, (_, place) =>
        stop({ generation: place + 1, status: 'rejected', updatedAtMs: nowMs }),
      );
    const pauses = [1, 2, 3, 4, 20].map((count) => {
      const step = next({}, ...refused(count));
      return step.step === 'wait' ? (step.untilMs ?? 0) - nowMs : 0;
    });
    expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 60_000]);
  });

  test('after the same pauses when one after the other is taken away at once', () => {
    const gone = (count: number) =>
      Array.from({ length: count }, (_, place) => {
        const atMs = nowMs - 2_000 * (count - place - 1);
        return stop({ generation: place + 1, status: 'expired', createdAtMs: atMs - 1_000, updatedAtMs: atMs });
      });
    const pauses = [1, 2, 3, 4, 20].map((count) => {
      const step = next({}, ...gone(count));
      return step.step === 'wait' ? (step.untilMs ?? 0) - nowMs : 0;
    });
    expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 60_000]);
  });

  test('at once after many that were replaced, when the last replacement is refused', () => {
    const replaced = Array.from({ length: 10 }, (_, place) => {
      const createdAtMs = nowMs - 1_000 * (10 - place);
      return stop({ generation: place + 1, status: 'canceled', createdAtMs, updatedAtMs: createdAtMs + 1_005 });
    });
    const refused = stop({ generation: 11, status: 'rejected', createdAtMs: nowMs, updatedAtMs: nowMs + 5 });
    const step = nextProtectionStep(position({}, ...replaced, refused), terms, nowMs + 5);
    expect(step).toMatchObject({ step: 'place', generation: 12 });
  });

  test('nothing and asks for the exit when a stop has sold, and what it left is too small for another', () => {
    expect(next({ held: d('0.01'), hasSold: true }, stop({ status: 'canceled' }))).toMatchObject({ step: 'exit' });
  });

  test('no more than once a second, however often somebody cancels it', () => {
    const step = next({}, stop({ status: 'canceled', createdAtMs: nowMs - 10, updatedAtMs: nowMs - 5 }));
    expect(step).toMatchObject({ step: 'wait', untilMs: nowMs + 990 });
  });

  test('what is left, when one was canceled half way', () => {
    expect(next({ held: d('0.5') }, stop({ status: 'canceled' }))).toMatchObject({ terms: { quantity: '0.5' } });
  });
});

describe('keeps', () => {
  test.each([
    { name: 'it stands where the local one does', part: {} },
    { name: 'the local one is tighter by less than a step', part: { localStop: d('95.18') } },
    { name: 'the local one is looser', part: { localStop: d('90') } },
    { name: 'rounding alone makes a difference', part: { localStop: d('95.0099') } },
    { name: 'it sells already', part: { localStop: d('99') }, order: { status: 'partiallyFilled' as const } },
  ])('its stop while $name', ({ part, order }) => {
    expect(next(part, stop(order))).toMatchObject({ step: 'wait', untilMs: null });
  });

  test.each(['99', '98'])('its stop while the price of %s is through the new one, and looks again soon', (price) => {
    const step = next({ localStop: d('99'), price: d(price) }, stop());
    expect(step).toMatchObject({ step: 'wait', untilMs: nowMs + 1_000 });
  });

  test('its eyes on a stop that trails', () => {
    expect(next({ isTrailing: true }, stop())).toMatchObject({ step: 'wait', untilMs: nowMs + 60_000 });
  });

  test('its stop until the interval is over', () => {
    const young = stop({ createdAtMs: nowMs - 1_000 });
    expect(next({ localStop: d('98') }, young)).toMatchObject({ step: 'wait', untilMs: nowMs + 59_000 });
  });
});

describe('replaces', () => {
  test('a stop that is a step or more behind', () => {
    expect(next({ localStop: d('95.19') }, stop())).toEqual({
      step: 'replace',
      replaced: 1,
      generation: 2,
      terms: { quantity: '1', stopPrice: '95.19', limitPrice: '94.71' },
    });
  });

  test.each(['1.5', '0.5'])('one that is not the size of %s held, without waiting for the interval', (held) => {
    const young = stop({ createdAtMs: nowMs - 2_000 });
    expect(next({ held: d(held) }, young)).toMatchObject({ step: 'replace', terms: { quantity: held } });
  });

  test('and does not loosen while it grows', () => {
    const grown = next({ held: d('2'), localStop: d('90') }, stop());
    expect(grown).toMatchObject({ step: 'replace', terms: { quantity: '2', stopPrice: '95' } });
  });

  test('again after a pause when the replacement was not placed', () => {
    const denied = stop({ generation: 2, status: 'denied', updatedAtMs: nowMs });
    expect(next({ held: d('2') }, stop(), denied)).toMatchObject({ step: 'wait', untilMs: nowMs + 1_000 });
  });

  test('by nothing what is left of a position that is dust', () => {
    expect(next({ held: d('0.0001') }, stop())).toEqual({ step: 'cancel', generation: 1 });
  });
});

describe('first settles', () => {
  test.each([
    { name: 'what is in doubt', order: stop({ inDoubt: true }), step: 'find' },
    { name: 'what was not answered', order: stop({ status: 'pendingNew' }), step: 'find' },
    { name: 'what is not counted', order: stop({ status: 'canceled', fillsComplete: false }), step: 'collectFills' },
  ])('$name', ({ order, step }) => {
    expect(next({ localStop: d('99') }, order)).toEqual({ step, generation: 1 });
  });

  test('two stops, and cancels the looser one', () => {
    const both = [stop(), stop({ generation: 2, stopPrice: d('96') })];
    expect(next({}, ...both)).toEqual({ step: 'cancel', generation: 1 });
  });

  test('nothing once the exit was asked for', () => {
    expect(next({ isLeaving: true }, stop({ inDoubt: true }))).toEqual({ step: 'done' });
  });
});
