/** The venue's no: an HTTP status, its own code, and the text that clients match word for word. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What cancel-replace says of its two halves. */
  readonly data: object | null;

  constructor(
    status: number,
    code: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    data: object | null = null,
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.data = data;
  }

  /** The answer's body. */
  get body(): object {
    const { code, message: msg, data } = this;
    return data === null ? { code, msg } : { code, msg, data };
  }
}

const bad = (code: number, message: string): Refusal => new Refusal(400, code, message);

/** Codes and texts of the exchange's error page, one function a row. */
export const refusals = {
  filter: (name: string) => bad(-1013, `Filter failure: ${name}`),
  preventionMode: () => bad(-1013, 'This symbol does not allow the specified self-trade prevention mode.'),
  tooManyOrders: (limit: number, interval: string, retryAfterSeconds: number) =>
    new Refusal(429, -1015, `Too many new orders; current limit is ${limit} orders per ${interval}.`, {
      'Retry-After': String(retryAfterSeconds),
    }),
  outsideWindow: () => bad(-1021, 'Timestamp for this request is outside of the recvWindow.'),
  aheadOfServer: () => bad(-1021, "Timestamp for this request was 1000ms ahead of the server's time."),
  signature: () => bad(-1022, 'Signature for this request is not valid.'),
  illegalCharacters: (name: string, legal: string) =>
    bad(-1100, `Illegal characters found in parameter '${name}'; legal range is '${legal}'.`),
  duplicateParameter: () => bad(-1101, 'Duplicate values for a parameter detected.'),
  missing: (name: string) => bad(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`),
  missingEither: (a: string, b: string) => bad(-1102, `Param '${a}' or '${b}' must be sent, but both were empty/null!`),
  unread: (read: number, sent: number) =>
    bad(-1104, `Not all sent parameters were read; read '${read}' parameter(s) but was sent '${sent}'.`),
  empty: (name: string) => bad(-1105, `Parameter '${name}' was empty.`),
  notRequired: (name: string) => bad(-1106, `Parameter '${name}' sent when not required.`),
  precision: (name: string) => bad(-1111, `Parameter '${name}' has too much precision.`),
  timeInForce: () => bad(-1115, 'Invalid timeInForce.'),
  orderType: () => bad(-1116, 'Invalid orderType.'),
  side: () => bad(-1117, 'Invalid side.'),
  symbol: () => bad(-1121, 'Invalid symbol.'),
  lookupInterval: () => bad(-1127, 'More than 24 hours between startTime and endTime.'),
  invalidData: (name: string) => bad(-1130, `Data sent for parameter '${name}' is not valid.`),
  windowTooLong: () => bad(-1131, 'recvWindow must be less than 60000.'),
  cancelRestrictions: () => bad(-1145, '`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.'),
  newOrder: (message: string) => bad(-2010, message),
  cancel: (message: string) => bad(-2011, message),
  archived: () =>
    bad(-2026, 'Order was canceled or expired with no executed qty over 90 days ago and has been archived.'),
  noSuchOrder: () => bad(-2013, 'Order does not exist.'),
  apiKeyFormat: () => new Refusal(401, -2014, 'API-key format invalid.'),
  apiKey: () => new Refusal(401, -2015, 'Invalid API-key, IP, or permissions for action.'),
  clientIdMismatch: () => bad(-2039, 'Client order ID is not correct for this order ID.'),
  noSuchEndpoint: () => new Refusal(404, -1000, 'Path not found.'),
} as const;

/** Texts under -2010 and -2011. */
export const texts = {
  unknownOrder: 'Unknown order sent.',
  duplicateOrder: 'Duplicate order sent.',
  marketClosed: 'Market is closed.',
  insufficientBalance: 'Account has insufficient balance for requested action.',
  wouldTake: 'Order would immediately match and take.',
  wouldTrigger: 'Order would trigger immediately.',
  cancelRestricted: 'Order was not canceled due to cancel restrictions.',
  quoteQuantity: 'Quote order qty market orders are not support for this symbol.',
  notSupported: (what: string) => `${what} orders are not supported for this symbol.`,
} as const;
