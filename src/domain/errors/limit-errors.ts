import type { CatalogEntry } from './catalog-entry.ts';

/** Why the gate denies an entry. */
export const limitErrors = {
  PROTECTIVE_STOP_UNSUPPORTED: {
    retryable: false,
    summary: 'The venue takes no stop orders for the symbol, so it can hold no protective stop.',
    remedy: 'Send the request without exit.protectiveStop: the local guard watches the price.',
  },
  TRADING_STATE_BLOCKED: {
    retryable: false,
    summary: 'A hold is in force: no new entries. Open positions go on being guarded.',
    remedy: 'Look up the hold and its reason. Whoever set it lifts it; the breaker and the venue lift their own.',
  },
  BREAKER_OPEN: {
    retryable: true,
    summary: 'The circuit breaker holds entries back, because the venue failed too often.',
    remedy: 'Wait until it lets probes through again, or look at the failures and at the status of the venue.',
  },
  BREAKER_UNKNOWN: {
    retryable: true,
    summary: 'The state of the circuit breaker could not be read, and an unknown state lets nothing through.',
    remedy: 'Look at the circuit breaker of this account; send the trade again, with a new trade id, once it answers.',
  },
  SHORT_ENTRY_REFUSED: {
    retryable: false,
    summary: 'The entry would sell what the account does not hold, and a spot venue lends nothing.',
    remedy: 'Open with BUY on a spot venue. To end a position, ask for its exit instead of a new entry.',
  },
  EQUITY_UNKNOWN: {
    retryable: true,
    summary: 'The equity of the account is unknown or too old, so no share of it can be measured.',
    remedy: 'Check that balances of the venue arrive and that each asset can be converted into the account currency.',
  },
  PRICE_UNKNOWN: {
    retryable: true,
    summary: 'There is no fresh price of the symbol, so the entry can not be valued.',
    remedy: 'Check the price stream of the symbol; send the trade again, with a new trade id, once prices arrive.',
  },
  BOOK_UNKNOWN: {
    retryable: true,
    summary: 'What the account holds could not be read, so no limit can be measured.',
    remedy: 'Check the database; send the trade again, with a new trade id, once the book can be read.',
  },
  CURRENCY_MISMATCH: {
    retryable: false,
    summary: 'The symbol is not quoted in the currency in which the account counts its limits.',
    remedy: 'Trade a symbol that is quoted in the account currency, or use an account that counts in the other one.',
  },
  FILTERS_UNKNOWN: {
    retryable: true,
    summary: 'The trading rules of the symbol could not be read, so the order can not be checked against them.',
    remedy: 'Check that the venue answers; send the trade again, with a new trade id, once it does.',
  },
  LIMITS_MISSING: {
    retryable: false,
    summary: 'A limit is not set, and a missing limit is not a permission.',
    remedy: 'Set the limit that is named. A total exposure without a cap is said explicitly, by `none`.',
  },
  SLIPPAGE_EXCEEDED: {
    retryable: false,
    summary: 'The limit price is further from the last price than the request allows.',
    remedy: 'Send a price nearer to the market, or raise maxSlippageBps if so much is meant.',
  },
  ORDER_NOTIONAL_EXCEEDED: {
    retryable: false,
    summary: 'The order would cost more than one order may.',
    remedy: 'Send a smaller quantity, split the trade, or have orderNotionalMax raised.',
  },
  PORTFOLIO_DELTA_EXCEEDED: {
    retryable: false,
    summary: 'The delta of all positions together would exceed its limit.',
    remedy: 'Send a smaller quantity, close positions on the same side, or have portfolioDeltaMax raised.',
  },
  PORTFOLIO_GAMMA_EXCEEDED: {
    retryable: false,
    summary: 'The gamma of all positions together would exceed its limit.',
    remedy: 'Close positions with gamma of the same sign, or have portfolioGammaMax raised.',
  },
  SYMBOL_DELTA_EXCEEDED: {
    retryable: false,
    summary: 'The delta in the symbol would exceed its limit.',
    remedy: 'Send a smaller quantity, close positions in the symbol, or have symbolDeltaMax raised.',
  },
  CONCENTRATION_EXCEEDED: {
    retryable: false,
    summary: 'The position would be too large a share of the account.',
    remedy: 'Send a smaller quantity, or have concentrationMax raised.',
  },
  CORRELATED_EXPOSURE_EXCEEDED: {
    retryable: false,
    summary: 'Positions that move together would be too large a share of the account.',
    remedy: 'Send a smaller quantity, close positions of the same group, or have correlatedExposureMax raised.',
  },
  TOTAL_EXPOSURE_EXCEEDED: {
    retryable: false,
    summary: 'All positions together would cost more than the cap.',
    remedy: 'Send a smaller quantity, close positions, or have totalExposureCap raised.',
  },
  SYMBOL_NOT_TRADING: {
    retryable: false,
    summary: 'The venue does not trade this symbol at the moment.',
    remedy: 'Wait until the venue trades it again, or choose another symbol.',
  },
  PRICE_FILTER: {
    retryable: false,
    summary: 'The price is missing, outside the bounds of the symbol, or not a multiple of its tick size.',
    remedy: 'Round the price to the tick size, inside the bounds.',
  },
  LOT_SIZE: {
    retryable: false,
    summary: 'The quantity is outside the bounds of the symbol, or not a multiple of its step size.',
    remedy: 'Round the quantity down to the step size, inside the bounds.',
  },
  MARKET_LOT_SIZE: {
    retryable: false,
    summary: 'The quantity is more than the symbol allows in one market order.',
    remedy: 'Send a limit order, or a smaller quantity.',
  },
  NOTIONAL: {
    retryable: false,
    summary: 'Price times quantity is less than the symbol allows.',
    remedy: 'Raise the quantity until price times quantity reaches the minimum.',
  },
  NOTIONAL_UNKNOWN: {
    retryable: true,
    summary: 'Whether the order is large enough could not be known: there is no price for it.',
    remedy: 'Wait for prices of the symbol, or send a limit order.',
  },
} as const satisfies Record<string, CatalogEntry>;
