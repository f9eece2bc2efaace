/**
 * Every refusal and operating error that reaches a person: what happened and what to do about it. The numbers come
 * with the occurrence. A programmer's error is not in here: see `invariant`. `retryable` = trying again can help.
 * The table in docs/errors.md is generated from this object.
 */
export const errorCatalog = {
  REQUEST_INVALID: {
    retryable: false,
    summary: 'The request does not fit the contract.',
    remedy: 'Mend every field that is named; the contract is in the README and at /docs of the API.',
  },
  TRADE_ID_MISMATCH: {
    retryable: false,
    summary: 'This trade id was used before with other content.',
    remedy: 'Send the first content again to get its decision, or choose a new trade id for a new trade.',
  },
  WORKFLOW_ID_INVALID: {
    retryable: false,
    summary: 'An entry runs only under its own workflow id.',
    remedy: 'Start it with the workflow id entry-<tradeId>.',
  },
  REQUEST_EXPIRED: {
    retryable: false,
    summary: 'The request was decided after its deadline.',
    remedy: 'Send a fresh request with a new trade id; raise validForMs if decisions take longer than that here.',
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
    remedy: 'Set the limit that is named. A total exposure without a cap is said explicitly, by null.',
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
  VENUE_UNAVAILABLE: {
    retryable: true,
    summary: 'The venue did not answer.',
    remedy: 'Nothing while retries last. If it goes on, look at the status of the venue and the network.',
  },
  PRICE_INVALID: {
    retryable: false,
    summary: 'A price is not a positive number.',
    remedy: 'Nothing was decided on it. If a venue sends such prices, look at its status before trading there.',
  },
  TRAILING_DISTANCE_INVALID: {
    retryable: false,
    summary: 'The distance of a trailing stop is not positive, or reaches down to a price of zero.',
    remedy: 'Send a distance above 0 that is less than the whole price (for a long position, less than 100 percent).',
  },
  TRAILING_TICK_SIZE_MISSING: {
    retryable: false,
    summary: 'A trailing stop by ticks needs the tick size of the symbol.',
    remedy: 'Send the distance in percent or as an amount, or wait until the trading rules of the symbol are known.',
  },
  TRAILING_TICK_SIZE_INVALID: {
    retryable: false,
    summary: 'The tick size of a trailing stop is not positive.',
    remedy: 'Look at the trading rules of the symbol; a symbol without ticks has no tick size rather than 0.',
  },
  TRAILING_MINIMUM_MOVE_INVALID: {
    retryable: false,
    summary: 'The smallest move of a trailing stop is not positive.',
    remedy: 'Send a percentage above 0, or leave it out to make every improvement.',
  },
  TRAILING_ACTIVATION_INVALID: {
    retryable: false,
    summary: 'The activation price of a trailing stop is not positive.',
    remedy: 'Send a price above 0, or leave the activation out to trail from the start.',
  },
  TRAILING_ACTIVATION_TOO_NEAR: {
    retryable: false,
    summary:
      'The activation of a trailing stop is nearer than its distance, so that it would start by locking in a loss.',
    remedy: 'Move the activation further away than the distance, or choose a smaller distance.',
  },
  TRAILING_AMENDMENT_LOOSENS: {
    retryable: false,
    summary: 'The new distance of a trailing stop is larger than the one in force.',
    remedy: 'Send a smaller distance: a running stop is only ever tightened.',
  },
  TRAILING_STOP_TRIGGERED: {
    retryable: false,
    summary: 'The trailing stop has triggered already.',
    remedy: 'Nothing to do here: the exit is under way.',
  },
  GUARD_ALREADY_ARMED: {
    retryable: false,
    summary: 'A guard with this id is armed already.',
    remedy: 'Amend the one that is armed, or disarm it first.',
  },
  GUARD_NOT_ARMED: {
    retryable: false,
    summary: 'No guard with this id is armed.',
    remedy: 'Arm it first. A guard that has triggered or was disarmed is not amended any more.',
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
  PAPER_LEDGER_DAMAGED: {
    retryable: false,
    summary: "The paper venue's ledger has a line that cannot be read.",
    remedy: 'Restore the file from a copy, or move the data folder away to begin with a fresh paper account.',
  },
  PAPER_PRICES_UNREADABLE: {
    retryable: false,
    summary: 'The file of prices cannot be read.',
    remedy: 'Give the path of a CSV file that this user may read.',
  },
  PAPER_PRICES_INVALID: {
    retryable: false,
    summary: 'The file holds no prices that can be played.',
    remedy:
      'Trades have the header timestamp_ms,trade_id,side,price,quantity; candles timestamp,open,high,low,close,volume.',
  },
  PAPER_PRICES_CHANGED: {
    retryable: false,
    summary: 'Orders or a position are open under other prices than the ones given now.',
    remedy: 'Start with the prices of before and close the trades, or choose another data folder.',
  },
  VENUE_KEY_REFUSED: {
    retryable: false,
    summary: 'The venue refuses the API key.',
    remedy: 'Check that the key exists, may read and trade, allows this address, and that its secret belongs to it.',
  },
  SYMBOL_UNKNOWN: {
    retryable: false,
    summary: 'The venue does not trade this symbol.',
    remedy: 'Name it as BASE/QUOTE, such as BTC/USDT, and as this venue spells both assets.',
  },
  CONFIG_INVALID: {
    retryable: false,
    summary: 'The configuration does not hold together.',
    remedy: 'Mend every setting that is named; docs/settings.md lists them with unit, default and meaning.',
  },
  LIMITS_FILE_INVALID: {
    retryable: false,
    summary: "The account's limits do not hold together.",
    remedy:
      'Mend every limit that is named, in the file that RATCHET_LIMITS_FILE names; `none` is allowed for the cap only.',
  },
  LIVE_MODE_UNAVAILABLE: {
    retryable: false,
    summary: 'Live trading is refused: nothing compares the book with the venue yet.',
    remedy: 'Set RATCHET_MODE=paper.',
  },
  PAPER_MODE_LIVE_VENUE: {
    retryable: false,
    summary: 'Paper mode is pointed at a venue that takes real orders.',
    remedy: "Point it at the paper venue, or at the venue's testnet or demo address.",
  },
  API_WITHOUT_TLS: {
    retryable: false,
    summary: 'The API would listen beyond this machine without TLS.',
    remedy:
      'Set RATCHET_API_HOST=127.0.0.1, or put a proxy that ends TLS before it and set RATCHET_API_BEHIND_TLS_PROXY=true.',
  },
  TEMPORAL_CONFIG_INVALID: {
    retryable: false,
    summary: 'The settings of the connection to Temporal can not be read.',
    remedy: 'Mend the TEMPORAL_… variables, or the profile in the file that TEMPORAL_CONFIG_FILE names.',
  },
  STACK_FILE_INVALID: {
    retryable: false,
    summary: 'The file with the addresses of the running stack is not one that this version wrote.',
    remedy: 'Stop the stack, remove the file and start again; it is written anew at each start.',
  },
  AUDIT_TAIL_LOST: {
    retryable: false,
    summary: 'The newest records of the audit chain are missing: a checkpoint outside the database covers them.',
    remedy:
      'Do not trade. Bring back the database that has them; `ratchet audit verify` says what is left. Nothing starts on a cut record.',
  },
  AUDIT_CHAIN_BROKEN: {
    retryable: false,
    summary: 'A record of the audit chain is not what was sealed.',
    remedy: 'Keep the database as it is and stop the stack; `ratchet audit verify` names the first bad record.',
  },
  AUDIT_CHECKPOINT_UNTRUSTED: {
    retryable: false,
    summary: 'A checkpoint of the audit chain is not signed by the key of this stack.',
    remedy:
      'Bring back the key file that signed it (RATCHET_CHECKPOINT_KEY_FILE). Without a change of keys it was forged: verify against a copy.',
  },
  AUDIT_CHECKPOINT_UNREADABLE: {
    retryable: false,
    summary: 'A file of checkpoints can not be read.',
    remedy: 'Look at its rights and contents in RATCHET_CHECKPOINT_DIR; bring it back from a copy if it was damaged.',
  },
  AUDIT_CHECKPOINT_NOT_WRITTEN: {
    retryable: false,
    summary: 'A checkpoint could not be made durable outside the database.',
    remedy: 'Look at the disk of RATCHET_CHECKPOINT_DIR, then start the process again: a failed sync is never retried.',
  },
  AUDIT_KEY_INVALID: {
    retryable: false,
    summary: 'The key that signs checkpoints can not be used.',
    remedy: 'It must be an Ed25519 private key in PEM that only its owner may read (chmod 600).',
  },
  AUDIT_SEALING_LATE: {
    retryable: true,
    summary: 'Committed records have been waiting for their place in the audit chain for more than a second.',
    remedy: 'Nothing while it is short. If it goes on, look whether a worker or the API runs, and at the database.',
  },
  DATABASE_UNAVAILABLE: {
    retryable: true,
    summary: 'PostgreSQL does not answer.',
    remedy: 'Nothing while retries last. If it goes on, look whether it runs and whether the network lets it through.',
  },
  DATABASE_BUSY: {
    retryable: true,
    summary: 'PostgreSQL gave up waiting for a lock or a statement.',
    remedy: 'Nothing while retries last. If it goes on, pg_stat_activity shows who holds the lock.',
  },
  DATABASE_FULL: {
    retryable: true,
    summary: 'PostgreSQL has no space left on its disk: nothing can be recorded, so nothing new is sent.',
    remedy: 'Make room on the disk of the database; entries go on by themselves.',
  },
  DATABASE_REFUSED: {
    retryable: false,
    summary: 'PostgreSQL refuses this role or this database.',
    remedy: 'Check user, password and database name in DATABASE_URL; the set-up step creates the role and its rights.',
  },
  DATABASE_READ_ONLY: {
    retryable: true,
    summary: 'PostgreSQL refuses to write.',
    remedy: 'Point DATABASE_URL at the primary; after a failover, check which server that is now.',
  },
  DATABASE_NOT_DURABLE: {
    retryable: false,
    summary: 'PostgreSQL may forget what it has confirmed, so an order could be sent twice.',
    remedy: 'Set the named parameter to on in postgresql.conf and for this role, restart PostgreSQL, and start again.',
  },
  DATABASE_IS_REPLICA: {
    retryable: false,
    summary: 'DATABASE_URL leads to a replica, which lags behind and takes no writes.',
    remedy: 'Point DATABASE_URL at the primary.',
  },
  EVENT_CONFLICT: {
    retryable: false,
    summary: 'A record with this event id exists with other content. The first one was kept.',
    remedy: 'Report it with the event id: two different things happened under one identity.',
  },
  AUDIT_IMMUTABLE: {
    retryable: false,
    summary: 'The record can only be added to.',
    remedy: 'Add a correcting record; nothing in the record is ever changed or removed.',
  },
  ACCOUNT_MISMATCH: {
    retryable: false,
    summary: 'The account is kept with another venue or currency than the configuration names.',
    remedy: 'Give the configuration back its venue and currency; the currency can change once no trade is live.',
  },
  UNDECIDED: {
    retryable: true,
    summary: 'No decision came in time. Whether there will be one is not known yet.',
    remedy:
      'Send the same request again, with the same trade id: it finds the decision, and never opens a second trade.',
  },
  ENTRY_ENDED_UNDECIDED: {
    retryable: false,
    summary: 'The entry of this trade id ended without a decision. No order was sent.',
    remedy: 'Send the trade again with a new trade id.',
  },
  TEMPORAL_UNAVAILABLE: {
    retryable: true,
    summary: 'Temporal does not answer.',
    remedy: 'Send the same request again. If it goes on, look whether Temporal runs at the address that is named.',
  },
  TEMPORAL_REFUSED: {
    retryable: false,
    summary: 'Temporal refuses the call.',
    remedy: 'Check namespace, credentials and search attributes; the set-up step registers the latter.',
  },
  API_UNAVAILABLE: {
    retryable: true,
    summary: 'The HTTP API does not answer.',
    remedy: 'Nothing while retries last. If it goes on, look whether it runs at the address that is named.',
  },
  API_KEY_MISSING: {
    retryable: false,
    summary: 'The request carries no key that the API knows.',
    remedy: 'Send "Authorization: Bearer <key>". The first key is in the data folder, in the file stack.json names.',
  },
  API_SCOPE_MISSING: {
    retryable: false,
    summary: 'The key is not allowed to do this.',
    remedy: 'Use a key with one of the scopes that are named.',
  },
  API_ROUTE_UNKNOWN: {
    retryable: false,
    summary: 'The API has no such method and path.',
    remedy: 'See /docs of the API.',
  },
  API_BODY_UNREADABLE: {
    retryable: false,
    summary: 'The body is not JSON of at most 64 KB.',
    remedy: 'Send JSON with the header content-type: application/json.',
  },
  API_RATE_LIMITED: {
    retryable: true,
    summary: 'Too many requests with this key.',
    remedy: 'Wait as long as the header retry-after says. Halts have a budget of their own.',
  },
  INTERNAL_ERROR: {
    retryable: true,
    summary: 'A mistake of ours.',
    remedy: 'Report it with the request id, which is in the header x-request-id and in the log of the API.',
  },
  TRADE_UNKNOWN: {
    retryable: false,
    summary: 'No trade with this id was ever decided.',
    remedy: 'Look the id up in the list of trades; a trade that is not decided yet is not in it.',
  },
  TRADE_NOT_OPEN: {
    retryable: false,
    summary: 'The trade has nothing to close: it was denied, never filled, or is closed.',
    remedy: 'Nothing. Its state says which of these it is.',
  },
  HALT_LEVEL_UNAVAILABLE: {
    retryable: false,
    summary: 'This level of halt is not offered yet: nothing cancels all working orders. Nothing was changed.',
    remedy: 'Halt with entries-blocked, which stops every new entry, and close open trades one by one.',
  },
  STACK_NOT_FOUND: {
    retryable: false,
    summary: 'There are no addresses of a running stack.',
    remedy: 'Start it with npm start, name its data folder with --data, or set DATABASE_URL and TEMPORAL_ADDRESS.',
  },
  ORDER_REJECTED: {
    retryable: false,
    summary: 'The venue refused the order.',
    remedy: 'Read what the venue says of it; what was reserved for it is free again.',
  },
  ORDER_PARKED: {
    retryable: false,
    summary: 'Nobody can say what became of this order: the venue does not know it, and its time to appear has passed.',
    remedy: 'Look for it in the account at the venue, then say what became of it: ratchet resolve <clientOrderId>.',
  },
  ORDER_NOT_PARKED: {
    retryable: false,
    summary: 'Only a parked order waits for a person.',
    remedy: 'Look at the order first: the venue has answered since, or is still being asked.',
  },
  ORDER_UNKNOWN: {
    retryable: false,
    summary: 'There is no order with this client order id.',
    remedy: 'Take the id from the alert or from the trade.',
  },
  ORDER_DECLARED_DEAD: {
    retryable: false,
    summary: 'A person found that this order does not exist at the venue.',
    remedy: 'Nothing: what was reserved for it is free again.',
  },
  DEAD_ORDER_APPEARED: {
    retryable: false,
    summary: 'An order that was declared dead is at the venue after all.',
    remedy: 'Cancel it at the venue if it still works; what it filled is in the book and its position is guarded.',
  },
  ORDER_REPORT_ILLEGAL: {
    retryable: false,
    summary: "The venue's report of this order can't be true, so the book did not follow it.",
    remedy: 'Compare the order at the venue with the book; the alert names the order and what is wrong.',
  },
  EXTERNAL_ORDER: {
    retryable: false,
    summary: 'Somebody else trades this account: the order is not ours.',
    remedy: 'Use an account of its own for Ratchet, or stop what else trades there; its exposure is not in the limits.',
  },
  FILL_CORRECTED: {
    retryable: false,
    summary: 'The venue told a fill a second time with other content. The first one was kept.',
    remedy: 'Compare the fill with the account statement of the venue; both versions are in the record.',
  },
  FILL_AFTER_CLOSE: {
    retryable: false,
    summary: 'An entry filled after its trade was closed: there is a position that nobody guards.',
    remedy: 'Close the position at the venue by hand; the trade shows what it holds.',
  },
  FEE_UNVALUED: {
    retryable: false,
    summary: 'A fee was taken in an asset whose price nobody knew, so the P&L leaves it out.',
    remedy: 'Pay fees in the quote asset, or add the fees of the record by hand.',
  },
  ENTRY_NOT_SENT: {
    retryable: false,
    summary: 'The entry order was never sent, so there is nothing to wait for.',
    remedy: 'Send a fresh request with a new trade id if the trade is still wanted.',
  },
  ENTRY_WITHDRAWN: {
    retryable: false,
    summary: 'The trade was asked to end before its entry order was sent.',
    remedy: 'Nothing: no order was placed. A new trade needs a new trade id.',
  },
  COMMAND_ID_MISMATCH: {
    retryable: false,
    summary: 'This command id was used before with other content.',
    remedy: 'Send the first content again to get its result, or choose a new command id for a new command.',
  },
  VENUE_UNKNOWN: {
    retryable: false,
    summary: 'This worker does not know the venue.',
    remedy: 'Use one of the venues that are named, or configure the worker for it.',
  },
  STOP_AMENDMENT_REFUSED: {
    retryable: false,
    summary: 'The trailing stop can not be changed so.',
    remedy: 'Send a smaller distance while the position is open: a stop is only ever amended to protect more tightly.',
  },
  HOLD_NOT_IN_FORCE: {
    retryable: false,
    summary: 'There is no hold of an operator in force on this scope to lift.',
    remedy: '`ratchet status` lists the holds in force with their scope, source and version.',
  },
  ENTRY_EXCEEDS_RESERVATION: {
    retryable: false,
    summary: 'The entry order asks for more than was reserved for it, so it was not sent.',
    remedy: 'Report it with the trade id: the order and its reservation come from one request.',
  },
  EXIT_EXCEEDS_POSITION: {
    retryable: false,
    summary: 'The exit order asks for more than there is left to sell, so it was not sent.',
    remedy: 'Nothing: the exit looks again at what is left.',
  },
  CANCEL_UNCONFIRMED: {
    retryable: true,
    summary: 'The venue has not confirmed the cancel yet.',
    remedy: 'Nothing while retries last. `ratchet trade <id>` shows how the order stands.',
  },
  ORDER_NOT_PLACED: {
    retryable: true,
    summary: 'Nothing was placed, definitely, and the order will be tried again.',
    remedy: 'Nothing while retries last. If it goes on, look at the rate limits and the status of the venue.',
  },
  WATCH_LEASE_LOST: {
    retryable: true,
    summary: 'Another watch has taken over this shard, so this one writes nothing more.',
    remedy: 'Nothing: one watch has the lease at any time.',
  },
} as const satisfies Record<string, { retryable: boolean; summary: string; remedy: string }>;

export type ErrorCode = keyof typeof errorCatalog;
export type ErrorContext = Readonly<Record<string, string | number | boolean>>;

/** An operating error with its code, its numbers and its remedy: `CODE: what. (key=value) To fix: …`. */
export class RatchetError extends Error {
  override readonly name = 'RatchetError';
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, context: ErrorContext = {}, options?: ErrorOptions) {
    super(describe(code, context), options);
    this.code = code;
    this.context = context;
  }

  get retryable(): boolean {
    return errorCatalog[this.code].retryable;
  }
}

/** The one sentence a person reads about a code. */
export function describe(code: ErrorCode, context: ErrorContext = {}): string {
  const { summary, remedy } = errorCatalog[code];
  const pairs = Object.entries(context).map(([key, value]) => `${key}=${value}`);
  return `${code}: ${summary} ${pairs.length > 0 ? `(${pairs.join(', ')}) ` : ''}To fix: ${remedy}`;
}
