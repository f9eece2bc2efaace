import { multiply, one, powerOfTen, zero } from '../../src/domain/decimal.ts';
import { remainingCapacity } from '../../src/domain/limits/capacity.ts';
import { evaluateEntry } from '../../src/domain/limits/gate.ts';
import { portfolioHealth } from '../../src/domain/limits/health.ts';
import { known } from '../../src/domain/limits/known.ts';
import { type Limits, paperLimits } from '../../src/domain/limits/limits.ts';
import type { EntryProposal } from '../../src/domain/limits/proposal.ts';
import type { Snapshot } from '../../src/domain/limits/snapshot.ts';
import { aSymbol } from '../support/any-symbol.ts';
import { type Adapter, decimalOf, decimalOrNull, type Inputs, type Values, valuesOf } from './adapter.ts';

// The tables count deltas in units and shares of the exposure: an equity of 1 makes units and money the same.
const unitEquity = { amount: one, ageMs: 0, fault: null };
// They know no limit of a single order, and no venue.
const noOrderLimit = powerOfTen(30);

const limitsOf = (config: Values): Limits => ({
  ...paperLimits,
  portfolioDeltaMax: decimalOf(config['max_portfolio_delta']),
  portfolioGammaMax: decimalOf(config['max_portfolio_gamma']),
  symbolDeltaMax: decimalOf(config['max_per_symbol_delta']),
  concentrationMax: decimalOf(config['max_single_position_pct']),
  correlatedExposureMax: decimalOf(config['max_correlated_pct']),
  totalExposureCap: decimalOrNull(config['total_exposure_cap']),
  orderNotionalMax: noOrderLimit,
  options: { exposureBase: 'exposure', gammaIncludesEntry: false, reducingExempt: false },
});

const noFilters = aSymbol({ symbol: '', baseAsset: '', quoteAsset: '', tickSize: zero, stepSize: zero });

function snapshotOf(portfolio: Values): Snapshot {
  const exposureTotal = decimalOf(portfolio['total_exposure'] ?? 0);
  const money = (share: unknown) => multiply(decimalOf(share), exposureTotal);
  const each = <T>(values: unknown, translate: (value: unknown) => T) =>
    Object.fromEntries(Object.entries(valuesOf(values)).map(([symbol, value]) => [symbol, translate(value)]));
  return {
    nowMs: 0,
    currency: 'USD',
    holds: [],
    breaker: { state: 'CLOSED', probesLeft: 0, probe: null, nextTransitionAtMs: null },
    recent: { identical: 0, entries: 0 },
    brake: null,
    equity: unitEquity,
    book: {
      portfolioDelta: decimalOf(portfolio['delta'] ?? 0),
      portfolioGamma: decimalOf(portfolio['gamma'] ?? 0),
      deltaBySymbol: each(portfolio['symbol_delta'], decimalOf),
      exposureTotal,
      exposureByGroup: each(portfolio['correlated_exposure'], money),
      exposureLargest: money(portfolio['max_single_position'] ?? 0),
      openCount: 0,
    },
    referencePrices: {},
    filters: {},
  };
}

function proposalOf(entry: Values): EntryProposal {
  const notional = decimalOf(entry['value']);
  const symbol = String(entry['symbol']);
  return {
    legs: [
      {
        symbol,
        group: symbol,
        side: 'BUY',
        quantity: one,
        gamma: zero,
        cost: known({ price: notional, notional, delta: decimalOf(entry['delta']) }),
        limitPrice: null,
        maxSlippageBps: null,
      },
    ],
    needsStops: false,
    requestedAtMs: 0,
    validForMs: 0,
  };
}

function checkEntry({ params }: Inputs): unknown {
  const entry = valuesOf(params['entry']);
  const symbol = String(entry['symbol']);
  const limits = limitsOf(valuesOf(params['config']));
  const snapshot = {
    ...snapshotOf(valuesOf(params['portfolio'])),
    referencePrices: { [symbol]: { last: one, ageMs: 0 } },
    filters: { [symbol]: noFilters },
  };
  const { outcome, evaluations } = evaluateEntry(snapshot, proposalOf(entry), limits);
  return {
    allowed: outcome === 'approved',
    limit_type: evaluations.find(({ allowed }) => !allowed)?.control ?? null,
  };
}

function health({ params }: Inputs): unknown {
  const limits = limitsOf(valuesOf(params['config']));
  const broken = portfolioHealth(snapshotOf(valuesOf(params['portfolio'])), limits);
  return { warnings: broken.map(({ control }) => control) };
}

function capacity({ params }: Inputs): unknown {
  const limits = limitsOf(valuesOf(params['config']));
  const room = remainingCapacity(snapshotOf(valuesOf(params['portfolio'])), limits, String(params['symbol']));
  return { delta: room.delta, symbol_delta: room.symbolDelta };
}

export const adapter: Adapter = {
  offered: { check_entry: checkEntry, health, remaining_capacity: capacity },
};
