import type { MarketDataEvent, Subscription, Venue } from '../venue/venue.ts';

export type SharedStreamEvents = {
  readonly onEvent: (event: MarketDataEvent) => void;
  /** A connection that carries all these symbols has come up: what they missed before can be asked for now. */
  readonly onConnected: (symbols: ReadonlySet<string>) => void;
};

export type SharedStream = {
  /** Adds a symbol to what is streamed. Those that come together share one new connection. */
  add(symbol: string): void;
  /** The next connection does without it. */
  drop(symbol: string): void;
  /** Whether the connection that is up carries the symbol. */
  carries(symbol: string): boolean;
  /** Replaces the connection: it is up, and still does not bring what it should. */
  replace(): void;
  close(): Promise<void>;
};

type Connection = { readonly symbols: ReadonlySet<string>; readonly subscription: Subscription; isUp: boolean };

/**
 * One connection for all symbols of a process. A new symbol needs a new connection; the old one goes on until that is
 * up, so that nobody is blind in between (a trade that both bring is seen once: trades have ids).
 */
export function createSharedStream(
  venue: Pick<Venue, 'streamMarket'>,
  settleMs: number,
  { onEvent, onConnected }: SharedStreamEvents,
): SharedStream {
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
      isUp: false,
      subscription: venue.streamMarket([...symbols], (event) => receive(connection, event)),
    };
    next = connection;
  };

  const receive = (connection: Connection, event: MarketDataEvent): void => {
    // One that was replaced may have messages on their way.
    if (connection !== present && connection !== next) return;
    if (event.type === 'connected') {
      connection.isUp = true;
      if (connection === next) promote(connection);
      onConnected(connection.symbols);
    }
    if (event.type === 'disconnected') connection.isUp = false;
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
    carries: (symbol) => present?.isUp === true && present.symbols.has(symbol),
    replace,
    async close() {
      clearTimeout(settling);
      const connections = [present, next];
      present = null;
      next = null;
      await Promise.all(connections.map((connection) => connection?.subscription.close()));
    },
  };
}
