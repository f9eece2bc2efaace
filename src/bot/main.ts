import { setTimeout as delay } from 'node:timers/promises';
import {
  connectRatchet,
  type RatchetClient,
  RatchetClientError,
  type RatchetSettings,
  readStack,
} from '../client/index.ts';
import type { BotEvent } from './narrate.ts';
import { type BotEnd, runTrades } from './run-trades.ts';
import { sentenceOf } from './sentences.ts';
import { type BotSettings, readSettings, usage } from './settings.ts';
import { summaryLines, totalsOf } from './summary.ts';

// The example bot: it knows nothing of Ratchet but its client, as any bot of yours.

const exitCodes = { done: 0, refused: 1, usage: 2, pricesEnded: 3 } as const;
const pace = { lookEveryMs: 250, retryMs: 1_000 } as const;
const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

async function main(settings: BotSettings): Promise<number> {
  const stopping = new AbortController();
  let stoppedBy: keyof typeof signalNumbers | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stoppedBy = signal;
      stopping.abort();
    });
  }
  const stack = readStack(settings.data);
  const say = (event: BotEvent): void => void print(settings.json ? JSON.stringify(event) : sentenceOf(event));
  const client = await connect({ ...stack, payloadKeys: settings.payloadKeys }, say, stopping.signal);
  say({ event: 'waiting', for: `prices of ${settings.symbol}` });
  const { symbol, trades, timeStopMs } = settings;
  const { account, venue } = stack;
  const { signal } = stopping;
  const end = await runTrades({ client, symbol, account, venue, timeStopMs, trades, say, signal, pace });
  await client.disconnect();
  if (stoppedBy !== undefined) return 128 + signalNumbers[stoppedBy];
  report(end, settings);
  return end.end === 'done' || trades === undefined ? exitCodes.done : exitCodes.pricesEnded;
}

function report({ closed, end }: BotEnd, { json, trades }: BotSettings): void {
  const pnl = totalsOf(closed);
  if (json) {
    print(
      JSON.stringify({ event: 'summary', end, closed: closed.length, wanted: trades ?? null, pnl, trades: closed }),
    );
    return;
  }
  if (end === 'prices-ended') print(`The prices have ended${trades === undefined ? '' : ` before ${trades} trades`}.`);
  for (const line of summaryLines(closed)) print(line);
}

/** Temporal may come up after the bot. */
async function connect(
  settings: RatchetSettings,
  say: (event: BotEvent) => void,
  signal: AbortSignal,
): Promise<RatchetClient> {
  for (;;) {
    try {
      return await connectRatchet(settings);
    } catch (error) {
      if (signal.aborted || !(error instanceof RatchetClientError && error.retryable)) throw error;
      say({ event: 'waiting', for: error.message });
      await delay(pace.retryMs, undefined, { signal });
    }
  }
}

function settingsOrUsage(): BotSettings | undefined {
  try {
    return readSettings(process.argv.slice(2), process.env);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    return undefined;
  }
}

try {
  const settings = settingsOrUsage();
  process.exitCode = settings === undefined ? exitCodes.usage : await main(settings);
} catch (error) {
  process.stderr.write(`${error instanceof RatchetClientError ? error.message : (error as Error).stack}\n`);
  process.exitCode = exitCodes.refused;
}
