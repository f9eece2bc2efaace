import { z } from 'zod';
import { payloadKeysPattern } from '../payloads/payload-keys.ts';

/** A setting as people read about it and as it is checked. A default that begins with `<RATCHET_DATA>/` follows the data folder. */
type Setting = {
  readonly schema: z.ZodType;
  /** Completes the sentence "must be …". */
  readonly allowed: string;
  readonly unit: string;
  readonly default?: string;
  readonly meaning: string;
  /** Never printed; may also come from the file that `<NAME>_FILE` names. */
  readonly secret?: true;
};

const words = <const W extends readonly [string, ...string[]]>(...choices: W) => ({
  schema: z.enum(choices),
  allowed: choices.length > 1 ? `one of ${choices.join(', ')}` : choices[0],
  unit: 'word',
});

const whole = (unit: string, min: number, max: number) => ({
  schema: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max)),
  allowed: `a whole number from ${min} to ${max}`,
  unit,
});

const matching = (pattern: RegExp, allowed: string, unit: string) => ({
  schema: z.string().regex(pattern),
  allowed,
  unit,
});

const url = (protocol: RegExp, example: string) => ({
  schema: z.url({ protocol }),
  allowed: `an address such as ${example}`,
  unit: 'URL',
});

const path = { schema: z.string(), allowed: 'a path', unit: 'path' };
const token = matching(/^[\x21-\x7e]+$/, 'printable characters without blanks', 'text');
const flag = { schema: z.stringbool({ truthy: ['true'], falsy: ['false'] }), allowed: 'true or false', unit: 'flag' };
const host = matching(/^[A-Za-z0-9.:-]+$/, 'a host name or address', 'host');
const httpUrl = url(/^https?$/, 'https://host:port');
const socketUrl = url(/^wss?$/, 'wss://host:port');
const postgresUrl = url(/^postgres(ql)?$/, 'postgresql://user:password@host:5432/ratchet');

/** Every setting of the processes, in the order in which docs/settings.md lists them. */
export const settings = {
  RATCHET_MODE: {
    ...words('paper', 'live'),
    default: 'paper',
    meaning: 'Whether orders are played money at the paper venue, or real ones.',
  },
  RATCHET_DATA: {
    ...path,
    default: '.ratchet',
    meaning: 'The data folder: databases, keys, checkpoints, logs, addresses of the running stack.',
  },
  RATCHET_ACCOUNT: {
    ...matching(/^[a-z0-9][a-z0-9-]{0,31}$/, 'up to 32 of a-z, 0-9 and -', 'id'),
    default: 'main',
    meaning: 'The account that this stack trades.',
  },
  RATCHET_VENUE: {
    ...words('paper', 'binance'),
    default: 'paper',
    meaning: 'The venue that orders go to, under the name requests use.',
  },
  RATCHET_VENUE_ADAPTER: {
    ...words('binance', 'ccxt'),
    default: 'binance',
    meaning: 'Who puts requests to the venue together: our own code, or ccxt where that is installed (docs/venues.md).',
  },
  RATCHET_CURRENCY: {
    ...matching(/^[A-Z0-9]{2,12}$/, 'an asset such as USDT', 'asset'),
    default: 'USDT',
    meaning: 'The asset in which equity, limits and profit are counted.',
  },
  RATCHET_VENUE_REST_URL: { ...httpUrl, meaning: "The venue's REST API." },
  RATCHET_VENUE_STREAM_URL: { ...socketUrl, meaning: "The venue's market streams." },
  RATCHET_VENUE_WS_API_URL: { ...socketUrl, meaning: "The venue's WebSocket API, for the account's own events." },
  VENUE_API_KEY: { ...token, secret: true, meaning: "The venue's API key, without the right to withdraw." },
  VENUE_API_SECRET: {
    ...matching(/\S/, 'an HMAC secret or an Ed25519 private key in PEM', 'text'),
    secret: true,
    meaning: 'What signs the requests: an HMAC secret, or an Ed25519 private key in PEM.',
  },
  DATABASE_URL: { ...postgresUrl, secret: true, meaning: 'PostgreSQL 15 or newer, as the role that only works in it.' },
  DATABASE_OWNER_URL: {
    ...postgresUrl,
    secret: true,
    meaning: 'The same database as the role that owns the tables; only the set-up uses it.',
  },
  RATCHET_PAYLOAD_KEYS: {
    ...matching(payloadKeysPattern, 'id:key pairs with commas between, each key 32 bytes in base64', 'list'),
    secret: true,
    meaning:
      'What payloads in Temporal are encrypted with: the first key writes, all of them read. Without it they are plain.',
  },
  RATCHET_PAYLOADS_ENCRYPTED_ONLY: {
    ...flag,
    default: 'false',
    meaning: 'Whether payloads that are not encrypted are refused. Needs RATCHET_PAYLOAD_KEYS.',
  },
  RATCHET_LIMITS_FILE: { ...path, meaning: "The account's limits, YAML or JSON. Paper has defaults without it." },
  RATCHET_API_HOST: {
    ...host,
    default: '127.0.0.1',
    meaning: 'The address the API listens on. Others than loopback need a TLS proxy before it.',
  },
  RATCHET_API_PORT: {
    ...whole('port', 0, 65_535),
    default: '7420',
    meaning: 'The port of the API; 0 takes a free one.',
  },
  RATCHET_API_BEHIND_TLS_PROXY: {
    ...flag,
    default: 'false',
    meaning: 'Says that only a proxy that ends TLS can reach the API, so that it may listen on other addresses.',
  },
  RATCHET_METRICS_HOST: { ...host, default: '127.0.0.1', meaning: 'The address that /metrics and /healthz listen on.' },
  RATCHET_METRICS_PORT: {
    ...whole('port', 0, 65_535),
    meaning: 'The port of /metrics and /healthz; 0 takes a free one. Without it there is none.',
  },
  RATCHET_RECV_WINDOW_MS: {
    ...whole('ms', 100, 60_000),
    default: '3000',
    meaning: 'How long the venue accepts an order after the timestamp of its intent.',
  },
  RATCHET_FENCE_API_TIMEOUT_MS: {
    ...whole('ms', 1_000, 60_000),
    default: '10000',
    meaning: "The venue's own time limit for an order it has accepted for processing.",
  },
  RATCHET_FENCE_MARGIN_MS: {
    ...whole('ms', 0, 600_000),
    default: '20000',
    meaning: 'Added before "no such order" may count at all, for look-ups that lag.',
  },
  RATCHET_UNRESOLVED_ORDERS: {
    ...words('park', 'resend'),
    default: 'park',
    meaning:
      'An entry order that the venue does not know after its fence is parked for a person, or placed again under another id.',
  },
  RATCHET_BUILD_POLICY: {
    ...words('single', 'any'),
    default: 'single',
    meaning:
      'Whether a worker refuses to start beside one of another build, or only warns. For a rolling upgrade set it to any, and back.',
  },
  RATCHET_WATCH_SHARDS: {
    ...whole('shards', 1, 64),
    default: '1',
    meaning: 'Into how many watches the symbols of a venue are split. Change it with nothing armed.',
  },
  RATCHET_PRICE_JUMP_MAX_PERCENT: {
    ...whole('percent', 1, 90),
    default: '10',
    meaning:
      "A trade of the price stream farther than this from the last one counts once the venue's list or the next trade says so, too.",
  },
  RATCHET_BREAKER_FAILURE_THRESHOLD: {
    ...whole('failures', 1, 1_000),
    default: '5',
    meaning: 'Failures within the window that open the circuit breaker.',
  },
  RATCHET_BREAKER_FAILURE_WINDOW_MS: {
    ...whole('ms', 1_000, 86_400_000),
    default: '60000',
    meaning: 'The sliding window in which failures count.',
  },
  RATCHET_BREAKER_OPEN_TIMEOUT_MS: {
    ...whole('ms', 1_000, 604_800_000),
    default: '300000',
    meaning: 'How long the circuit breaker stays OPEN before it lets probes through.',
  },
  RATCHET_BREAKER_HALF_OPEN_PROBES_MAX: {
    ...whole('probes', 1, 100),
    default: '3',
    meaning: 'Probes let through while HALF_OPEN; as many successes close the circuit breaker.',
  },
  RATCHET_BREAKER_PROBE_TIMEOUT_MS: {
    ...whole('ms', 1_000, 3_600_000),
    default: '30000',
    meaning: 'How long a probe may go without an outcome before it no longer counts.',
  },
  RATCHET_BREAKER_WINDOW_BOUNDARY: {
    ...words('exclusive', 'inclusive'),
    default: 'exclusive',
    meaning: 'Whether a failure exactly one window old still counts.',
  },
  RATCHET_BREAKER_DWELL_MS: {
    ...whole('ms', 0, 3_600_000),
    default: '0',
    meaning: 'The circuit breaker never stays OPEN for less than this, however short the timeout.',
  },
  RATCHET_RECONCILE_EVERY_MS: {
    ...whole('ms', 5_000, 3_600_000),
    default: '20000',
    meaning: 'How often the book is compared with the venue. Once a day all of the last 24 hours are, too.',
  },
  RATCHET_RECONCILE_TOLERANCES: {
    ...matching(
      /^[A-Z0-9]{1,16}=\d+(\.\d+)?(,[A-Z0-9]{1,16}=\d+(\.\d+)?)*$/,
      'a list such as USDT=0.01,BTC=0.00001',
      'list',
    ),
    meaning:
      'How far a balance may be off before it counts, by asset. Of those that are not named: 0.01 of the currency of the account, 0.00001 of any other.',
  },
  RATCHET_RECONCILE_UNEXPLAINED_MAX: {
    ...whole('differences', 0, 1_000),
    default: '0',
    meaning: 'Orders, fills and positions that may differ between book and venue before entries are blocked.',
  },
  RATCHET_RECONCILE_DRIFT_MAX: {
    ...matching(/^\d{1,15}(\.\d{1,18})?$/, 'an amount of the currency of the account', 'amount'),
    default: '100',
    meaning:
      'What all balance drifts together may be worth before entries are blocked, in the currency of the account.',
  },
  RATCHET_CORRECTION_TIMEOUT_MS: {
    ...whole('ms', 1_000, 2_592_000_000),
    default: '86400000',
    meaning: 'How long a correction of the book waits for a person. After it the book stays as it is.',
  },
  RATCHET_RESUME_APPROVALS: {
    ...words('1', '2'),
    meaning:
      'How many people it takes to lift a halt or loosen a limit. Paper needs one unless this says two, live needs two.',
  },
  RATCHET_DISK_RESERVE_MB: {
    ...whole('MB', 0, 1_000_000),
    default: '256',
    meaning:
      'What entries leave free on the disks of the data folder and of the checkpoints, for exits and their records. 0 keeps nothing.',
  },
  RATCHET_CHECKPOINT_KEY_FILE: {
    ...path,
    default: '<RATCHET_DATA>/secrets/checkpoint-key.pem',
    meaning: 'The Ed25519 key that signs checkpoints of the audit chain; made at the first start.',
  },
  RATCHET_CHECKPOINT_DIR: {
    ...path,
    default: '<RATCHET_DATA>/checkpoints',
    meaning: 'Where checkpoints are kept outside the database; better on another volume.',
  },
  RATCHET_CHECKPOINT_ORIGIN: {
    ...matching(/^[a-z0-9./-]{1,64}$/, 'up to 64 of a-z, 0-9, ., / and -', 'id'),
    default: 'ratchet/audit',
    meaning: 'The name of the audit log in its checkpoints.',
  },
  RATCHET_TEMPORAL_UI_URL: { ...httpUrl, meaning: 'The Temporal UI, for links to it.' },
  LOG_LEVEL: {
    ...words('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    meaning: 'The least severe level that is logged.',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;

/** Variables that belong to other readers than the configuration, so that it does not take them for a slip. */
export const otherVariables = {
  RATCHET_TEMPORAL_CLI: '`npm start`: the Temporal CLI to use.',
  RATCHET_TEMPORAL_TEST_SERVER: '`npm test`: the time-skipping test server to use.',
  RATCHET_BIN_DIR: '`npm start`: where fetched binaries are kept.',
  RATCHET_TEST_DATABASE_URL: '`npm test`: a PostgreSQL to use instead of an embedded one.',
  RATCHET_PAPER_API_KEY: 'The paper venue: the API key it accepts.',
  RATCHET_PAPER_API_SECRET: 'The paper venue: the secret that signatures are checked with.',
  RATCHET_PAPER_ORDERS_PER_10S: 'The paper venue: how many unfilled orders it takes in ten seconds.',
  RATCHET_PAPER_WEIGHT_PER_MINUTE: 'The paper venue: how much request weight it takes in a minute.',
} as const;
