import type { FaultAction, FaultRule } from '../../src/simulator/faults/faults.ts';
import type { Dice } from './dice.ts';

type Request = 'place' | 'cancel' | 'ask';

const requests: Readonly<Record<Request, readonly FaultRule['on'][]>> = {
  place: ['order', 'order/cancelReplace'].map((path) => ({ method: 'POST', path: `/api/v3/${path}` })),
  cancel: [{ method: 'DELETE', path: '/api/v3/order' }],
  ask: ['order', 'openOrders', 'allOrders', 'myTrades'].map((path) => ({ method: 'GET', path: `/api/v3/${path}` })),
};

const venueFailures = [
  [500, -1000],
  [500, -1006],
  [503, -1001],
  [504, -1007],
] as const;

const throttles = [
  [429, -1003],
  [429, -1015],
  [418, -1003],
] as const;

const answer = ([code, venueCode]: readonly [number, number], retryAfterSeconds?: number): FaultAction => ({
  action: 'status',
  code,
  body: { code: venueCode, msg: 'planned' },
  ...(retryAfterSeconds !== undefined && { headers: { 'retry-after': String(retryAfterSeconds) } }),
});

type Blow = readonly [phase: FaultRule['phase'], action: FaultAction];

/** What may become of one request. A refusal that is definite is told of requests alone that were not carried out. */
const blows: Readonly<Record<'lost' | 'failed' | 'throttled' | 'mangled', (dice: Dice) => Blow>> = {
  lost: (dice) => [dice.pick(['before_auth', 'after_accept', 'before_response']), { action: dice.pick(lossKinds) }],
  failed: (dice) => [dice.pick(['before_auth', 'before_response']), answer(dice.pick(venueFailures))],
  throttled: (dice) => ['before_auth', answer(dice.pick(throttles), dice.between(1, 3))],
  mangled: (dice) => ['before_response', dice.pick(mangled)],
};
const lossKinds = ['drop', 'drop', 'reset'] as const;
const mangled: readonly FaultAction[] = [
  { action: 'garbage' },
  { action: 'truncate', bytes: 20 },
  { action: 'hang' },
  { action: 'status', code: 200, body: '' },
  { action: 'status', code: 502, body: '<html>Bad gateway</html>' },
];

/** The faults of one seed: which there are, and how often each strikes. `lagsMs`: by how much look-ups may be behind. */
export function drawRates(dice: Dice, lagsMs: readonly number[] = [500, 5_000, 20_000]): readonly FaultRule[] {
  return dice.some(rateKinds, 0.4).flatMap((kind) => kind(dice, lagsMs));
}

/** In per cent, as the mix of the fault table has it at its most. */
const rate = (dice: Dice, most: number): { readonly p: number } => ({ p: dice.between(1, most) / 100 });

const struck = (dice: Dice, request: Request, [phase, action]: Blow, most: number): readonly FaultRule[] =>
  requests[request].map((on) => ({ on: { ...on, ...rate(dice, most) }, phase, do: action }));

const onStream = (dice: Dice, most: number, action: FaultAction): readonly FaultRule[] => [
  { on: { path: '/ws-api/v3', ...rate(dice, most) }, phase: 'stream', do: action },
];

const rateKinds: readonly ((dice: Dice, lagsMs: readonly number[]) => readonly FaultRule[])[] = [
  (dice) => struck(dice, 'place', ['before_response', { action: 'drop' }], 30),
  (dice) => struck(dice, 'place', blows.lost(dice), 15),
  (dice) => struck(dice, 'place', blows.failed(dice), 10),
  (dice) => struck(dice, 'place', blows.throttled(dice), 10),
  (dice) => struck(dice, 'place', blows.mangled(dice), 10),
  (dice) => struck(dice, 'cancel', blows.lost(dice), 20),
  (dice) => struck(dice, 'cancel', blows.failed(dice), 10),
  (dice) => struck(dice, 'ask', blows.lost(dice), 20),
  (dice) => struck(dice, 'ask', blows.failed(dice), 10),
  (dice) => struck(dice, 'ask', blows.throttled(dice), 10),
  (dice) => struck(dice, 'ask', blows.mangled(dice), 10),
  (dice, lagsMs) => lagging(dice, dice.pick(lagsMs)),
  (dice) => onStream(dice, 10, { action: 'drop' }),
  (dice) => onStream(dice, 20, { action: 'dup' }),
  (dice) => onStream(dice, 20, { action: 'reorder', frames: dice.between(2, 4) }),
  (dice) => onStream(dice, 5, { action: 'close', code: 1001 }),
];

/** Look-ups do not see what is younger, each by as much; past the fence nothing lags. */
function lagging(dice: Dice, ms: number): readonly FaultRule[] {
  return requests.ask.map((on) => ({
    on: { ...on, ...rate(dice, 100) },
    phase: 'before_accept',
    do: { action: 'lagQuery', ms },
  }));
}

/** One fault of one request: the first of its kind or one of the next. */
export function oneFault(dice: Dice): FaultRule {
  const request = dice.pick(['place', 'place', 'place', 'cancel', 'ask'] as const);
  const [phase, action] = dice.pick(Object.values(blows))(dice);
  return { on: { ...dice.pick(requests[request]), nth: dice.between(1, 3) }, phase, do: action };
}
