import type { CatalogEntry } from './catalog-entry.ts';

/** The venue, real or paper. */
export const venueErrors = {
  VENUE_UNAVAILABLE: {
    retryable: true,
    summary: 'The venue did not answer.',
    remedy: 'Nothing while retries last. If it goes on, look at the status of the venue and the network.',
  },
  VENUE_REQUEST_REFUSED: {
    // An exit is never given up: whatever refused it may be mended at the venue.
    retryable: true,
    summary: 'The venue answers, and refuses to be asked this.',
    remedy: "Look the venue's code up in its documentation: it goes on being asked, but is not expected to answer.",
  },
  VENUE_UNKNOWN: {
    retryable: false,
    summary: 'This worker does not know the venue.',
    remedy: 'Use one of the venues that are named, or configure the worker for it.',
  },
  VENUE_ADAPTER_MISSING: {
    retryable: false,
    summary: 'The library that RATCHET_VENUE_ADAPTER asks for is not installed.',
    remedy: 'Install it with the command that is named, or leave the setting out: the own adapter needs nothing more.',
  },
  VENUE_KEY_REFUSED: {
    retryable: false,
    summary: 'The venue refuses the API key.',
    remedy: 'Check that the key exists, may read and trade, allows this address, and that its secret belongs to it.',
  },
  VENUE_CLOCK_REFUSED: {
    retryable: false,
    summary: 'The venue refuses the timestamps of orders although they were taken from its own clock.',
    remedy: 'Check the clock of this machine (NTP) and the time that requests to the venue take. Exits go on trying.',
  },
  VENUE_BANNED: {
    retryable: false,
    summary: 'The venue has banned this address: until the ban ends no order can be placed, canceled or looked up.',
    remedy: 'Guard the positions that are named by hand if they can not wait. Find out what else uses this address.',
  },
  SYMBOL_UNKNOWN: {
    retryable: false,
    summary: 'The venue does not trade this symbol.',
    remedy: 'Name it as BASE/QUOTE, such as BTC/USDT, and as this venue spells both assets.',
  },
  VENUE_NOT_PAPER: {
    retryable: false,
    summary: 'The stack of this data folder trades at a real venue, and scenarios are for the paper one alone.',
    remedy: 'Name the data folder of a stack in paper mode with --data.',
  },
  PAPER_VENUE_UNAVAILABLE: {
    retryable: true,
    summary: 'The paper venue of this stack does not answer on its control port.',
    remedy: 'Look whether the stack still runs (`ratchet status`); start it again with npm start.',
  },
  SCENARIO_INVALID: {
    retryable: false,
    summary: 'The paper venue cannot play this. Nothing was changed.',
    remedy: '`ratchet sim list` shows every scenario, its parameters and what they may be.',
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
} as const satisfies Record<string, CatalogEntry>;
