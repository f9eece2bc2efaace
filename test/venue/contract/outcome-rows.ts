import type { OutcomeClass } from '../../../src/domain/outcome.ts';
import type { LookUp } from '../../../src/venue/venue.ts';
import { ok, type Reply } from '../support/scripted-venue.ts';
import { canceled, described, replaceDone, replaceRefused, says } from './answers.ts';

/** One answer of the venue, and what each question makes of it. */
export type OutcomeRow = {
  readonly name: string;
  readonly reply: Reply;
  readonly placed: OutcomeClass;
  readonly canceled: OutcomeClass;
  readonly found: LookUp['outcome'];
  readonly replaced: { readonly canceled: OutcomeClass; readonly placed: OutcomeClass };
};

/** An answer that means the same to everybody who sent something, and nothing to who only looked. */
const row = (name: string, reply: Reply, outcome: OutcomeClass, changed: Partial<OutcomeRow> = {}): OutcomeRow => ({
  name,
  reply,
  placed: outcome,
  canceled: outcome,
  found: 'unavailable',
  replaced: { canceled: outcome, placed: outcome },
  ...changed,
});

const inDoubt = (name: string, reply: Reply, changed: Partial<OutcomeRow> = {}) => row(name, reply, 'UNKNOWN', changed);

// F12, F13, F14, F15: nobody knows whether it arrived.
const lostAnswers: readonly OutcomeRow[] = [
  inDoubt('F12: a connection that is reset after the request', 'reset'),
  inDoubt('F12: no answer in time', 'hang'),
  inDoubt('F13: half an answer', 'half a body'),
  inDoubt('F13: an answer that drips too slowly', 'drip'),
  inDoubt('F14: a 200 with a page', ok('<html>hello</html>')),
  inDoubt('F14: a 200 with nothing', ok('')),
  inDoubt('F14: a 200 with an empty object', ok({})),
  inDoubt('F14: a 200 with a list', ok([])),
  inDoubt('F14: a 200 with a number', ok(42)),
  inDoubt('F14: a 200 with an order that lacks its status', ok(described({ status: undefined }))),
  inDoubt('F14: a 200 with a status that nobody knows', ok(described({ status: 'PONDERED' }))),
  inDoubt('F14: a 200 with a refusal in it', ok({ code: -2010, msg: 'Market is closed.' })),
  inDoubt('a redirect', { status: 307, body: '', headers: { location: '/api/v3/order' } }),
  inDoubt('F19: a 403 of the firewall', { status: 403, body: '<html>forbidden</html>' }),
  inDoubt('a 404', { status: 404, body: '<html>not found</html>' }),
  inDoubt('a 400 without a code', { status: 400, body: 'what?' }),
  inDoubt('a code that nobody knows', says(-9999, 'Something new.')),
];

const serverFaults: readonly OutcomeRow[] = [
  ...[-1000, -1001, -1006, -1007, -1008, -1016].flatMap((code) => [
    inDoubt(`F15: 504 ${code}`, says(code, 'Timeout waiting for response from backend server.', 504)),
    inDoubt(`F15: 503 ${code}`, says(code, 'Internal error; unable to process your request.', 503)),
    inDoubt(`400 ${code}`, says(code, 'An unknown error occurred while processing the request.')),
  ]),
  inDoubt('F15: 502 with a page', { status: 502, body: '<html>bad gateway</html>' }),
  inDoubt('F15: 500 with nothing', { status: 500, body: '' }),
  // A definite code counts only from a server that works.
  inDoubt('500 with insufficient balance', says(-2010, 'Account has insufficient balance for requested action.', 500)),
  inDoubt('503 with no such order', says(-2013, 'Order does not exist.', 503)),
  inDoubt('500 with a filter', says(-1013, 'Filter failure: LOT_SIZE', 500)),
  inDoubt('500 with a late timestamp', says(-1021, 'Timestamp for this request is outside of the recvWindow.', 500)),
];

const mayHaveCanceled = { replaced: { canceled: 'UNKNOWN', placed: 'THROTTLED' } } as const;
const limits: readonly OutcomeRow[] = [
  row('F16: 429 -1003', says(-1003, 'Too much request weight used.', 429), 'THROTTLED', mayHaveCanceled),
  row('F17: 429 -1015', says(-1015, 'Too many new orders; current limit is 50.', 429), 'THROTTLED', mayHaveCanceled),
  row('F16: 429 without a body', { status: 429, body: '' }, 'THROTTLED', mayHaveCanceled),
  row(
    'F18: 418 -1003',
    says(-1003, 'Way too much request weight used; IP banned until 1795262500000.', 418),
    'THROTTLED',
  ),
  row('F18: 418 without a body', { status: 418, body: '' }, 'THROTTLED'),
  row('400 -1015', says(-1015, 'Too many new orders.'), 'THROTTLED'),
];

const filters = [
  ...['PRICE_FILTER', 'PERCENT_PRICE', 'LOT_SIZE', 'MIN_NOTIONAL', 'NOTIONAL', 'ICEBERG_PARTS', 'MARKET_LOT_SIZE'],
  ...['MAX_POSITION', 'MAX_NUM_ORDERS', 'MAX_NUM_ALGO_ORDERS', 'MAX_NUM_ICEBERG_ORDERS', 'MAX_NUM_ORDER_AMENDS'],
  ...['MAX_NUM_ORDER_LISTS', 'TRAILING_DELTA', 'EXCHANGE_MAX_NUM_ORDERS', 'EXCHANGE_MAX_NUM_ALGO_ORDERS'],
  ...['EXCHANGE_MAX_NUM_ICEBERG_ORDERS', 'EXCHANGE_MAX_NUM_ORDER_LISTS'],
];

const unsupported = ['Market', 'Iceberg', 'Stop loss', 'Stop loss limit', 'Take profit', 'Take profit limit'];
const definiteTexts = [
  'Market is closed.',
  'Account has insufficient balance for requested action.',
  ...[...unsupported, 'Trailing stop', 'OCO', 'OPO', 'Pegged'].map(
    (type) => `${type} orders are not supported for this symbol.`,
  ),
  'Quote order qty market orders are not support for this symbol.',
  'Order amend is not supported for this symbol.',
  'Order amend (quantity increase) is not supported.',
  'Order cancel-replace is not supported for this symbol.',
  'Price * QTY is zero or less.',
  'IcebergQty exceeds QTY.',
  'Unsupported order combination',
  'Order would trigger immediately.',
  'Order would immediately match and take.',
  'The relationship of the prices for the orders is not correct.',
  'Cancel order is invalid. Check origClOrdId and orderId.',
  'Order was not canceled due to cancel restrictions.',
  'This symbol is not permitted for this account.',
  'This symbol is restricted for this account.',
  'Rest API trading is not enabled.',
  'WebSocket API trading is not enabled.',
  'FIX API trading is not enabled.',
  'Order book liquidity is less than LOT_SIZE filter minimum quantity.',
  'Order book liquidity is less than MARKET_LOT_SIZE filter minimum quantity.',
  'Order book liquidity is less than symbol minimum quantity.',
  'The requested action would change no state; rejecting.',
  'This order type may not use pegged price.',
  'This price peg cannot be used with this order type.',
  'Order book liquidity is too low for this pegged order.',
];

const refusals: readonly OutcomeRow[] = [
  ...filters.map((filter) => row(`F23: -1013 ${filter}`, says(-1013, `Filter failure: ${filter}`), 'REJECTED')),
  row('-1013 without a filter', says(-1013, 'Invalid quantity.'), 'REJECTED'),
  ...definiteTexts.map((text) => row(`-2010 ${text}`, says(-2010, text), 'REJECTED')),
  row('-1010 in the same words', says(-1010, 'Market is closed.'), 'REJECTED'),
  row('-2038 in the same words', says(-2038, 'The requested action would change no state; rejecting.'), 'REJECTED'),
  inDoubt('-2010 in words that nobody knows', says(-2010, 'The moon is in the wrong house.')),
  inDoubt('-2010 in words that only contain known ones', says(-2010, 'Sorry: Market is closed.')),
  inDoubt('-2010 Duplicate order sent.', says(-2010, 'Duplicate order sent.')),
  ...[-1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1112, -1114, -1115, -1116, -1117, -1118].map(
    (code) => row(`${code}`, says(code, 'Illegal characters found in a parameter.'), 'REJECTED'),
  ),
  ...[-1119, -1120, -1121, -1127, -1128, -1130, -1131, -1134, -1135, -1145, -1151].map((code) =>
    row(`${code}`, says(code, 'Invalid parameter.'), 'REJECTED'),
  ),
  row('-1014', says(-1014, 'Unsupported order combination.'), 'REJECTED'),
  row('-1020', says(-1020, 'This operation is not supported.'), 'REJECTED'),
  row('F21: -1021', says(-1021, 'Timestamp for this request is outside of the recvWindow.'), 'NOT_SENT'),
];

const fatal: readonly OutcomeRow[] = [
  row('F26: -1002', says(-1002, 'You are not authorized to execute this request.', 401), 'FATAL_CONFIG'),
  row('F26: -1022', says(-1022, 'Signature for this request is not valid.'), 'FATAL_CONFIG'),
  row('F26: -2014', says(-2014, 'API-key format invalid.', 401), 'FATAL_CONFIG'),
  row('F26: -2015', says(-2015, 'Invalid API-key, IP, or permissions for action.', 401), 'FATAL_CONFIG'),
  row('F26: -2010 disabled', says(-2010, 'This action is disabled on this account.'), 'FATAL_CONFIG'),
  row('F26: -2010 not allowed', says(-2010, 'This account may not place or cancel orders.'), 'FATAL_CONFIG'),
];

// What is about the order that was asked for, and so means something else to each question.
const ownAnswers: readonly OutcomeRow[] = [
  inDoubt('a 200 that describes the order', ok(described()), { placed: 'ACCEPTED', found: 'found' }),
  inDoubt('a 200 that describes the canceled order', ok(canceled()), { canceled: 'ACCEPTED' }),
  inDoubt('F27: a 200 for another client order id', ok(described({ clientOrderId: 'rte-b' }))),
  inDoubt('F27: a 200 for another symbol', ok(described({ symbol: 'ETHUSDT' }))),
  inDoubt('F27: a 200 for the other side', ok(described({ side: 'SELL' })), { found: 'found' }),
  inDoubt('F27: a 200 for another quantity', ok(described({ origQty: '0.50000001' })), { found: 'found' }),
  inDoubt('F27: a cancel of another order', ok(canceled({ origClientOrderId: 'rte-b' }))),
  inDoubt('-2011 Unknown order sent.', says(-2011, 'Unknown order sent.'), {
    placed: 'REJECTED',
    replaced: { canceled: 'UNKNOWN', placed: 'REJECTED' },
  }),
  row('-2011 restrictions', says(-2011, 'Order was not canceled due to cancel restrictions.'), 'REJECTED'),
  inDoubt('-2013', says(-2013, 'Order does not exist.'), { found: 'absent' }),
  inDoubt('F78: -2026', says(-2026, 'Order was canceled or expired with no executed qty over 90 days ago.'), {
    found: 'archived',
  }),
  inDoubt('-2039', says(-2039, 'Client order ID is not correct for this order ID.')),
];

const replaceRow = (name: string, reply: Reply, outcome: readonly [OutcomeClass, OutcomeClass]): OutcomeRow =>
  inDoubt(name, reply, { replaced: { canceled: outcome[0], placed: outcome[1] } });

const whyNot = { code: -2010, msg: 'Order would immediately match and take.' };
const tooMany = { code: -1015, msg: 'Too many new orders; current limit is 50 orders per 10 SECOND.' };

// The whole table of a replacement: what both halves came to, under each status and code.
const replacements: readonly OutcomeRow[] = [
  replaceRow('both done', replaceDone, ['ACCEPTED', 'ACCEPTED']),
  replaceRow('not canceled, not tried', replaceRefused(400, -2022, { cancel: 'FAILURE', placement: 'NOT_ATTEMPTED' }), [
    'UNKNOWN',
    'NOT_SENT',
  ]),
  replaceRow(
    'F20: canceled, not placed',
    replaceRefused(409, -2021, { cancel: 'SUCCESS', placement: 'FAILURE', whyNot }),
    ['ACCEPTED', 'REJECTED'],
  ),
  replaceRow('F20: not canceled, placed', replaceRefused(409, -2021, { cancel: 'FAILURE', placement: 'SUCCESS' }), [
    'UNKNOWN',
    'ACCEPTED',
  ]),
  replaceRow('both failed', replaceRefused(400, -2022, { cancel: 'FAILURE', placement: 'FAILURE', whyNot }), [
    'UNKNOWN',
    'REJECTED',
  ]),
  replaceRow('429, nothing done', replaceRefused(429, -2022, { cancel: 'FAILURE', placement: 'NOT_ATTEMPTED' }), [
    'UNKNOWN',
    'NOT_SENT',
  ]),
  replaceRow(
    'F20: 429, and the old one is gone',
    replaceRefused(429, -2021, { cancel: 'SUCCESS', placement: 'FAILURE', whyNot: tooMany }),
    ['ACCEPTED', 'THROTTLED'],
  ),
  replaceRow('409 that does not say which half', says(-2021, 'Order cancel-replace partially failed.', 409), [
    'UNKNOWN',
    'UNKNOWN',
  ]),
  replaceRow(
    'a failing server, whatever it says',
    replaceRefused(504, -1007, { cancel: 'SUCCESS', placement: 'SUCCESS' }),
    ['UNKNOWN', 'UNKNOWN'],
  ),
];

/** Every code and text that the documentation has, and what is not in it: what is unknown stays unknown. */
export const outcomeRows: readonly OutcomeRow[] = [
  ...lostAnswers,
  ...serverFaults,
  ...limits,
  ...refusals,
  ...fatal,
  ...ownAnswers,
  ...replacements,
];
