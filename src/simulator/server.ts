import type { SimulatorClock } from './clock.ts';
import { createControl } from './control/control.ts';
import { createTroubles } from './control/stage.ts';
import type { Exchange } from './exchange/exchange.ts';
import type { RequestRecord } from './exchange/ledger.ts';
import { pairOf } from './exchange/market.ts';
import type { FaultAction, FaultPhase, FaultRule } from './faults/faults.ts';
import type { PriceOptions, SimulatorOptions, Tick } from './options.ts';
import type { BadLine } from './prices/price-source.ts';
import type { Keys } from './rest/authentication.ts';
import { createRest } from './rest/rest.ts';
import { standardSocketRules } from './streams/socket.ts';
import { listen, serveStreams, shut } from './streams/sockets.ts';
import { createMarketStreams } from './streams/streams.ts';
import { createUserStreams } from './streams/user-stream.ts';
import { openCore, type VenueCore } from './venue-core.ts';

export type { FaultAction, FaultPhase, FaultRule, PriceOptions, SimulatorOptions, Tick };

export type Simulator = {
  /** `http://…` of the REST API: paths begin with `/api/v3`. */
  readonly url: string;
  /** `ws://…` of the streams: `/ws`, `/stream` and `/ws-api/v3` on the same port. */
  readonly wsUrl: string;
  /** `http://…` of the control port: paths begin with `/__sim`. */
  readonly controlUrl: string;
  readonly port: number;
  readonly controlPort: number;
  readonly keys: Keys;
  /** `BASE/QUOTE`. */
  readonly symbols: readonly string[];
  /** Lines of the file of prices that were skipped. */
  readonly badLines: { readonly count: number; readonly first: readonly BadLine[] };
  readonly exchange: Exchange;
  readonly clock: SimulatorClock;
  /** Lets the market trade. */
  tick(...ticks: readonly Tick[]): void;
  /** Sends a frame as it is to every market stream. */
  sendRaw(text: string): void;
  /** Adds fault rules to the plan. */
  plan(...rules: readonly FaultRule[]): void;
  clearPlan(): void;
  requests(): readonly RequestRecord[];
  /** Says good-bye on the streams and ends. Again is no fault. */
  close(): Promise<void>;
};

/** Paper keys that ship with the product. They are no secret. */
export const paperKeys: Keys = { apiKey: 'ratchet-paper-key', apiSecret: 'ratchet-paper-secret' };

const loopback = '127.0.0.1';

/**
 * Starts a paper venue.
 *
 * @throws RatchetError PAPER_PRICES_UNREADABLE, PAPER_PRICES_INVALID, PAPER_PRICES_CHANGED, PAPER_LEDGER_DAMAGED
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const core = openCore(options);
  const keys = options.keys ?? paperKeys;
  const doors = await openDoors(core, keys, options);
  const { exchange, clock, faults, log } = core;
  let closed: Promise<void> | null = null;
  return {
    url: `http://${doors.address}`,
    wsUrl: `ws://${doors.address}`,
    controlUrl: `http://${loopback}:${doors.controlPort}`,
    port: doors.port,
    controlPort: doors.controlPort,
    keys,
    symbols: [...exchange.venues.values()].map(({ market }) => pairOf(market)),
    badLines: core.badLines ?? { count: 0, first: [] },
    exchange,
    clock,
    tick(...ticks) {
      for (const each of ticks) core.tick(each);
    },
    sendRaw: (text) => doors.sendRaw(text),
    plan: (...added) => faults.add(added),
    clearPlan: () => faults.clear(),
    requests: () => log.records(),
    close() {
      closed ??= doors.close();
      return closed;
    },
  };
}

type Doors = {
  readonly address: string;
  readonly port: number;
  readonly controlPort: number;
  sendRaw(text: string): void;
  close(): Promise<void>;
};

/** Opens the venue's port and the control port, and begins to play the prices. */
async function openDoors(core: VenueCore, keys: Keys, options: SimulatorOptions): Promise<Doors> {
  const { exchange, clock, faults, conditions } = core;
  const host = options.host ?? loopback;
  const market = createMarketStreams(exchange, clock);
  const user = createUserStreams({ ...core, keys });
  const rest = createRest({ ...core, keys });
  const venue = await listen((request, response) => void rest(request, response), options.port ?? 0, host);
  const rules = { ...standardSocketRules, ...options.sockets };
  const streams = serveStreams(venue.server, { market, user }, { faults, conditions, clock, rules });
  const replay = core.startPrices();
  const sendRaw = (text: string): void => market.broadcastRaw(text);
  const command = createControl({
    core,
    replay,
    troubles: createTroubles(clock),
    streams: {
      sendRaw,
      close: (kind, code) => streams.close(kind, code),
      endSubscriptions: () => user.terminate(),
      announceShutdown: (kind) => (kind === 'user' ? user.announceShutdown() : market.announceShutdown()),
    },
  });
  const controlPort = options.controlPort ?? 0;
  const control = await listen((request, response) => void command(request, response), controlPort, loopback);
  return {
    address: `${host}:${venue.port}`,
    port: venue.port,
    controlPort: control.port,
    sendRaw,
    async close() {
      replay?.stop();
      market.announceShutdown();
      user.announceShutdown();
      await streams.end();
      await Promise.all([shut(venue.server), shut(control.server)]);
      core.close();
    },
  };
}
