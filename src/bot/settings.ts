import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export type BotSettings = {
  /** The data folder of the stack, whose addresses the bot uses. */
  readonly data: string;
  readonly symbol: string;
  /** Ends after so many closed trades. */
  readonly trades: number | undefined;
  readonly json: boolean;
  /** A trade that nothing else has closed is closed after this long. */
  readonly timeStopMs: number;
  /** What the workers of the stack encrypt with, if they do. */
  readonly payloadKeys: string | undefined;
};

export const usage = `Usage: node dist/src/bot/main.js [flags]
  --data DIR           data folder of a running stack (RATCHET_DATA, else .ratchet)
  --symbol BASE/QUOTE  what to trade (BOT_SYMBOL, else BTC/USDT)
  --trades N           end after N closed trades with a summary (BOT_TRADES)
  --time-stop-ms MS    close a trade after this long at the latest (BOT_TIME_STOP_MS, else 5000)
  --json               print lines of JSON and nothing else (BOT_JSON=true)
Exit codes: 0 done; 1 refused; 2 wrong flags; 3 the prices ended before N trades were closed`;

/** Flags over variables over defaults. Throws a RangeError or TypeError that says which flag is wrong. */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): BotSettings {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--exit-with-stdin'),
    options: {
      data: { type: 'string', default: environment['RATCHET_DATA'] || '.ratchet' },
      symbol: { type: 'string', default: environment['BOT_SYMBOL'] || 'BTC/USDT' },
      trades: { type: 'string', default: environment['BOT_TRADES'] || '' },
      'time-stop-ms': { type: 'string', default: environment['BOT_TIME_STOP_MS'] || '5000' },
      json: { type: 'boolean', default: environment['BOT_JSON'] === 'true' },
    },
  });
  return {
    data: values.data,
    symbol: values.symbol,
    trades: values.trades === '' ? undefined : whole('--trades', values.trades, 1),
    json: values.json,
    timeStopMs: whole('--time-stop-ms', values['time-stop-ms'], 100),
    payloadKeys: payloadKeysIn(environment),
  };
}

function payloadKeysIn(environment: NodeJS.ProcessEnv): string | undefined {
  const file = environment['RATCHET_PAYLOAD_KEYS_FILE'];
  return file ? readFileSync(file, 'utf8').trim() : environment['RATCHET_PAYLOAD_KEYS'] || undefined;
}

function whole(flag: string, text: string, min: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < min)
    throw new RangeError(`${flag} is a whole number from ${min}, was ${text}`);
  return value;
}
