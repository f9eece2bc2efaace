import type { Clock } from '../venue/clock.ts';
import type { MarketDataEvent, Subscription, Venue } from '../venue/venue.ts';

export type SharedStreamOptions = {
  readonly venue: Pick<Venue, 'streamMarket'>;
  readonly clock: Clock;
  /** Symbols that are added within this time share one new connection. */
  readonly settleMs: number;
  readonly onEvent: (event: MarketDataEvent) => void;
  /** A connection that carries all these symbols has come up: what they missed before can be asked for now. */
  readonly onConnected: (symbols: ReadonlySet<string>) => void;
};

export type SharedStream = {
  /** Adds a symbol to what is streamed. */
  add(symbol: string): void;
  /** The next connection does without it. */
  drop(symbol: string): void;
  /** Since when, by the monotonic clock, the connection that is up carries the symbol; infinite when none does. */
  readonly upSince: (symbol: string) => number;
  /** Replaces the connection: it is up, and still does not bring what it should. */
  replace(): void;
  close(): Promise<void>;
};

type Connection = { readonly symbols: ReadonlySet<string>; readonly subscription: Subscription; upSince: number };

/**
 * One connection for all symbols of a process. A new symbol needs a new connection; the old one goes on until that is
 * up, so that nobody is blind in between (a trade that both bring is seen once: trades have ids).
 */
export function createSharedStream(options: SharedStreamOptions): SharedStream {
  const { venue, clock, settleMs, onEvent, onConnected } = options;
  const symbols = new Set<string>();
  let present: Connection | null = null;
  let next: Connection | null = null;
  let settling: NodeJS.Timeout | undefined;

  const open = (): void => {
    settling = undefined;
    // What was added may have been dropped again before it came to a connection.
    if ([...symbols].every((symbol) => present?.symbols.has(symbol))) return;
    replace();
  };

  const replace = (): void => {
    void next?.subscription.close();
    const connection: Connection = {
      symbols: new Set(symbols),
      upSince: Number.POSITIVE_INFINITY,
      subscription: venue.streamMarket([...symbols], (event) => receive(connection, event)),
    };
    next = connection;
  };

  const receive = (connection: Connection, event: MarketDataEvent): void => {
    // One that was replaced may have messages on their way.
    if (connection !== present && connection !== next) return;
    if (event.type === 'connected') {
      connection.upSince = clock.monotonicMs();
      if (connection === next) promote(connection);
      onConnected(connection.symbols);
    }
    if (event.type === 'disconnected') connection.upSince = Number.POSITIVE_INFINITY;
    onEvent(event);
  };

  const promote = (connection: Connection): void => {
    void present?.subscription.close();
    present = connection;
    next = null;
  };

  return {
    add(symbol) {
      symbols.add(symbol);
      settling ??= setTimeout(open, settleMs);
    },
    drop: (symbol) => void symbols.delete(symbol),
    upSince: (symbol) => (present?.symbols.has(symbol) === true ? present.upSince : Number.POSITIVE_INFINITY),
    replace,
    async close() {
      clearTimeout(settling);
      const connections = [present, next].filter((connection) => connection !== null);
      present = null;
      next = null;
      await Promise.all(connections.map(({ subscription }) => subscription.close()));
    },
  };
}
