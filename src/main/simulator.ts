import { Command, InvalidArgumentError, Option } from 'commander';
import { decimal, isDecimal } from '../domain/decimal.ts';
import { RatchetError } from '../domain/errors.ts';
import { createLogger } from '../observability/logger.ts';
import type { PriceOptions } from '../simulator/options.ts';
import { paperKeys, type SimulatorOptions, startSimulator } from '../simulator/server.ts';
import { announceReady, endRequested } from './process-life.ts';

type Flags = {
  readonly host: string;
  readonly port: number;
  readonly controlPort: number;
  readonly data?: string;
  readonly prices?: string;
  readonly symbol?: readonly string[];
  readonly volumeUnit?: 'base' | 'quote';
  readonly manual?: true;
  readonly speed: number;
  readonly seed: number;
  readonly deposit?: string;
  readonly feeAsset: 'received' | 'quote' | 'third';
  readonly ordersPer10s?: number;
  readonly weightPerMinute?: number;
  readonly virtualClock?: number;
};

/** The exit code that says: other prices than those that trades are open under. The supervisor knows it. */
const pricesChangedCode = 4;

const flags = readFlags();
const logger = createLogger({ name: 'paper-venue', level: process.env['LOG_LEVEL'] ?? 'info' });

try {
  await run();
} catch (error) {
  if (!(error instanceof RatchetError)) throw error;
  logger.error({ code: error.code, context: error.context }, error.message);
  process.exitCode = error.code === 'PAPER_PRICES_CHANGED' ? pricesChangedCode : 1;
}

async function run(): Promise<void> {
  const simulator = await startSimulator(optionsOf(flags));
  const { port, controlPort, symbols, badLines } = simulator;
  if (badLines.count > 0)
    logger.warn({ count: badLines.count, first: badLines.first }, 'lines of the prices were skipped');
  // Who is told that this is ready may ask for its end in the same moment.
  const ending = endRequested();
  announceReady({ port, controlPort, symbols });
  logger.info({ port, controlPort, symbols }, 'paper venue is open');
  const reason = await ending;
  logger.info({ reason }, 'paper venue closes');
  await simulator.close();
}

function readFlags(): Flags {
  return new Command('simulator')
    .description('The paper venue: an exchange on loopback that speaks the Binance spot dialect.')
    .option('--host <address>', 'where the venue listens; the control port is on loopback always', '127.0.0.1')
    .option('--port <n>', 'of REST and streams; 0 takes a free one', whole, 0)
    .option('--control-port <n>', 'of the control port; 0 takes a free one', whole, 0)
    .option('--data <dir>', 'the folder of ledger and tape; without it nothing is kept')
    .option('--prices <file>', 'a CSV of trades or candles; without it prices are generated')
    .option(
      '--symbol <symbols>',
      'BASE/QUOTE, where the name of the file does not say it; several, with commas, for prices of our own or --manual',
      listed,
    )
    .addOption(new Option('--volume-unit <unit>', 'what the volume of candles counts').choices(['base', 'quote']))
    .option('--manual', 'no prices: they move by /__sim/tick')
    .option('--speed <n>', 'how many times faster than the prices came', above, 1)
    .option('--seed <n>', 'of generated prices and of faults by chance', whole, 1)
    .option('--deposit <quantity>', 'of the quote asset that the account begins with', amount)
    .addOption(
      new Option('--fee-asset <asset>', 'what fees are paid in; third = BNB at a discount, while enough of it is free')
        .choices(['received', 'quote', 'third'])
        .default('received'),
    )
    .addOption(
      new Option('--orders-per-10s <n>', 'how many unfilled orders the venue takes in ten seconds')
        .env('RATCHET_PAPER_ORDERS_PER_10S')
        .argParser(whole),
    )
    .addOption(
      new Option('--weight-per-minute <n>', 'how much request weight it takes in a minute')
        .env('RATCHET_PAPER_WEIGHT_PER_MINUTE')
        .argParser(whole),
    )
    .option('--virtual-clock <ms>', 'a clock that stands at this time until /__sim/clock moves it', whole)
    .option('--exit-with-stdin', 'end when standard input is closed')
    .parse()
    .opts<Flags>();
}

function optionsOf(given: Flags): SimulatorOptions {
  const { ordersPer10s, weightPerMinute, data, virtualClock } = given;
  return {
    ...pricesOf(given),
    host: given.host,
    port: given.port,
    controlPort: given.controlPort,
    speed: given.speed,
    seed: given.seed,
    fees: { paidIn: given.feeAsset },
    keys: {
      apiKey: process.env['RATCHET_PAPER_API_KEY'] ?? paperKeys.apiKey,
      apiSecret: process.env['RATCHET_PAPER_API_SECRET'] ?? paperKeys.apiSecret,
    },
    limits: {
      ...(ordersPer10s === undefined ? {} : { ordersPer10s }),
      ...(weightPerMinute === undefined ? {} : { weightPerMinute }),
    },
    ...(data === undefined ? {} : { dataFolder: data }),
    ...(virtualClock === undefined ? {} : { virtualClockAtMs: virtualClock }),
    ...(given.deposit === undefined ? {} : { deposit: given.deposit }),
  };
}

function pricesOf({ prices, symbol: symbols, volumeUnit, manual }: Flags): PriceOptions {
  if (prices !== undefined) {
    if (symbols && symbols.length > 1) {
      throw new RatchetError('CONFIG_INVALID', {
        symbol: symbols.join(','),
        problem: 'a file has prices of one symbol',
      });
    }
    const named = symbols?.[0] === undefined ? {} : { symbol: symbols[0] };
    return { replay: 'file', path: prices, ...named, ...(volumeUnit === undefined ? {} : { volumeUnit }) };
  }
  if (symbols === undefined) return { replay: manual ? 'manual' : 'generator' };
  return manual
    ? { replay: 'manual', markets: symbols.map((symbol) => ({ symbol })) }
    : { replay: 'generator', symbols };
}

function listed(text: string): readonly string[] {
  return text.split(',');
}

function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function above(text: string): number {
  if (!isDecimal(text) || Number(text) <= 0) throw new InvalidArgumentError('Give a number above zero.');
  return Number(text);
}

function amount(text: string): string {
  if (!isDecimal(text)) throw new InvalidArgumentError('Give a number.');
  return decimal(text);
}
