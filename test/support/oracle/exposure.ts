import Big from 'big.js';
import type { Evidence } from '../evidence.ts';
import { type Check, fillsOfOurs, intentOf, total, verdict } from './check.ts';

type Reservation = Evidence['reservations'][number];
type Evaluation = { readonly control: string; readonly scope: string; readonly limit: string | null };

/** What changes how much is at risk, or how much may be. Of one moment, what gives back comes first. */
type Moment = {
  readonly atMs: number;
  readonly rank: 0 | 1 | 2;
  readonly what: string;
  apply(): void;
  readonly limits?: readonly Evaluation[];
};

/**
 * Exposure never above the limit: `Σ(open positions + open entry orders + UNKNOWN + reservations) <= limit` per
 * account, symbol, strategy and firm, at every instant of the simulator's ledger, evaluated after each event. A
 * position counts at cost, what is reserved and not filled at the price it was reserved at.
 */
export const I3: Check = (evidence) => {
  const legs = new Map(evidence.reservations.map((row) => [keyOf(row), emptyLeg(row)]));
  const moments = [
    ...reservationMoments(evidence, legs),
    ...fillMoments(evidence, legs),
    ...voidMoments(evidence, legs),
  ];
  moments.sort((a, b) => a.atMs - b.atMs || a.rank - b.rank);
  let limits: readonly Evaluation[] = [];
  const violations = moments.flatMap((moment) => {
    moment.apply();
    limits = moment.limits ?? limits;
    return limits.flatMap((limit) => excessOf([...legs.values()], limit, moment));
  });
  return verdict(moments.length, violations, capFaults(evidence));
};

type LegState = { readonly row: Reservation; isReserved: boolean; voided: Big; bought: Big; cost: Big; gone: Big };

const keyOf = ({ trade_id, leg }: { readonly trade_id: string; readonly leg: string }): string => `${trade_id} ${leg}`;

const emptyLeg = (row: Reservation): LegState => ({
  row,
  isReserved: false,
  voided: new Big(0),
  bought: new Big(0),
  cost: new Big(0),
  gone: new Big(0),
});

function notionalOf({ row, isReserved, voided, bought, cost, gone }: LegState): Big {
  if (!isReserved) return new Big(0);
  const pending = new Big(row.quantity).minus(voided).minus(bought);
  const held = bought.minus(gone);
  const position = bought.eq(0) || held.lt(0) ? new Big(0) : cost.times(held).div(bought);
  return position.plus(pending.gt(0) ? pending.times(row.price) : 0);
}

function reservationMoments(
  { reservations, events }: Evidence,
  legs: ReadonlyMap<string, LegState>,
): readonly Moment[] {
  return reservations.map((row) => {
    const decided = events.find(({ type, tradeId }) => type === 'TradeDecided' && tradeId === row.trade_id);
    const leg = legs.get(keyOf(row));
    return {
      atMs: decided?.recordedAtMs ?? Number(row.reserved_at_ms),
      rank: 2,
      what: `the decision on ${row.trade_id}`,
      limits: (decided?.body['evaluations'] ?? []) as readonly Evaluation[],
      apply() {
        if (leg) leg.isReserved = true;
      },
    };
  });
}

function fillMoments(evidence: Evidence, legs: ReadonlyMap<string, LegState>): readonly Moment[] {
  return fillsOfOurs(evidence).flatMap((fill) => {
    const intent = intentOf(evidence, fill.clientOrderId);
    const leg = intent && legs.get(keyOf(intent));
    if (leg === undefined) return [];
    const isEntry = fill.side === leg.row.side;
    const fee = fill.feeAsset === leg.row.symbol.split('/')[0] ? fill.fee : '0';
    return [
      {
        atMs: fill.tradedAtMs,
        rank: isEntry ? 1 : 0,
        what: `fill ${fill.tradeId}`,
        apply() {
          if (!isEntry) leg.gone = leg.gone.plus(fill.quantity);
          else {
            leg.bought = leg.bought.plus(fill.quantity);
            leg.cost = leg.cost.plus(fill.quoteQuantity);
            leg.gone = leg.gone.plus(fee);
          }
        },
      },
    ];
  });
}

function voidMoments(
  { events, trades, reservations }: Evidence,
  legs: ReadonlyMap<string, LegState>,
): readonly Moment[] {
  const voids = events
    .filter(({ type }) => type === 'ReservationVoided')
    .map(({ tradeId, body, recordedAtMs }) => ({
      leg: legs.get(`${tradeId} ${String(body['leg'])}`),
      quantity: String(body['quantity']),
      atMs: recordedAtMs,
      what: `a release of ${tradeId}`,
    }));
  const over = reservations.flatMap((row) => {
    const closing = events.find(({ type, tradeId }) => type === 'PositionClosed' && tradeId === row.trade_id);
    return closing === undefined || !trades.some(({ trade_id }) => trade_id === row.trade_id)
      ? []
      : [
          {
            leg: legs.get(keyOf(row)),
            quantity: row.quantity,
            atMs: closing.recordedAtMs,
            what: `the end of ${row.trade_id}`,
          },
        ];
  });
  return [...voids, ...over].map(({ leg, quantity, atMs, what }) => ({
    atMs,
    rank: 0,
    what,
    apply() {
      if (leg) leg.voided = leg.voided.plus(quantity);
    },
  }));
}

function excessOf(legs: readonly LegState[], { control, scope, limit }: Evaluation, moment: Moment): readonly string[] {
  if (limit === null) return [];
  const signed = (leg: LegState) =>
    notionalOf(leg)
      .times(leg.row.unit_delta)
      .times(leg.row.side === 'BUY' ? 1 : -1);
  const sums: Readonly<Record<string, () => Big>> = {
    total_exposure_cap: () => total(legs.map(notionalOf)),
    portfolio_delta: () => total(legs.map(signed)).abs(),
    symbol_delta: () => total(legs.filter(({ row }) => row.symbol === scope).map(signed)).abs(),
  };
  const sum = sums[control]?.();
  return sum?.gt(limit) ? [`${control} ${scope} is ${sum.toFixed()} after ${moment.what}, its limit is ${limit}`] : [];
}

/** Where nobody has changed the limits, what the gate measured against is what the account's row says. */
function capFaults({ accounts, events }: Evidence): readonly string[] {
  return accounts
    .filter(({ limits_version }) => limits_version === '1')
    .flatMap(({ account_id, limits }) => {
      const cap = (limits['totalExposureCap'] ?? null) as string | null;
      return events
        .filter(({ type, body }) => type === 'TradeDecided' && body['account'] === account_id)
        .flatMap(({ tradeId, body }) => {
          const used = ((body['evaluations'] ?? []) as readonly Evaluation[]).find(
            (each) => each.control === 'total_exposure_cap',
          );
          return used === undefined || used.limit === cap
            ? []
            : [`${tradeId} was measured against a cap of ${used.limit}, not ${cap}`];
        });
    });
}
