import { decimal } from '../../../src/domain/decimal.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../src/simulator/server.ts';
import type { SignedOrder, UserDataEvent, Venue } from '../../../src/venue/venue.ts';
import { aVenue, type VenueSettings } from './scripted-venue.ts';

export const symbol = 'BTC/USDT';
export const market = { orderType: 'MARKET', timeInForce: null, limitPrice: null } as const;

export type PaperVenue = {
  readonly simulator: Simulator;
  /** An adapter of its own, on the clock of the paper venue where that is virtual. Close it. */
  connect(settings?: Partial<VenueSettings>): Venue;
  /** A command of the control port. */
  command(path: string, body: object): Promise<void>;
  /** Requests to a route, `POST /api/v3/order`, that have reached the venue. */
  requestsTo(route: string): number;
  close(): Promise<void>;
};

/** A paper venue on which one bitcoin costs 46,000, with 100,000 USDT and a bitcoin in the account. */
export async function aPaperVenue(options: Partial<SimulatorOptions> = {}): Promise<PaperVenue> {
  const simulator = await startSimulator({
    replay: 'manual',
    markets: [{ symbol, price: '46000', tradeQuantity: '0.01' }],
    deposits: { USDT: '100000', BTC: '1' },
    ...options,
  } as SimulatorOptions);
  const { nowMs } = simulator.clock;
  const clock = simulator.clock.kind === 'virtual' ? { clock: { nowMs, monotonicMs: nowMs } } : {};
  return {
    simulator,
    connect: (settings = {}) =>
      aVenue({ url: simulator.url, wsUrl: simulator.wsUrl, keys: simulator.keys, ...clock, ...settings }),
    async command(path, body) {
      const answer = await fetch(`${simulator.controlUrl}/__sim/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    },
    requestsTo: (route) => simulator.requests().filter(({ method, path }) => `${method} ${path}` === route).length,
    close: () => simulator.close(),
  };
}

let orders = 0;

/** An order that rests below the market, signed now by the clock of the adapter. */
export async function anOrder(
  venue: Venue,
  { simulator }: Pick<PaperVenue, 'simulator'>,
  change: Partial<SignedOrder> = {},
): Promise<SignedOrder> {
  orders += 1;
  const offsetMs = await venue.clockOffsetMs();
  const nowMs = simulator.clock.kind === 'virtual' ? simulator.clock.nowMs() : Date.now();
  return {
    clientOrderId: `rte-${orders}`,
    symbol,
    side: 'BUY',
    orderType: 'LIMIT',
    timeInForce: 'GTC',
    quantity: decimal('0.01'),
    limitPrice: decimal('45000'),
    stopPrice: null,
    signedAtMs: nowMs + (simulator.clock.kind === 'virtual' ? 0 : offsetMs),
    recvWindowMs: 3000,
    ...change,
  };
}

/** What the account's stream tells, as it comes. */
export function listen(venue: Venue) {
  const events: UserDataEvent[] = [];
  venue.streamUserData((event) => events.push(event));
  return {
    events,
    types: () => events.map(({ type }) => type).filter((type) => type !== 'balances'),
    orders: () => events.flatMap((event) => (event.type === 'order' ? [event.order] : [])),
  };
}
