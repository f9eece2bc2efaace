import pg from 'pg';

/** What is announced: a message to deliver, a change of guards (payload: the shard) or of holds, a pause of a venue. */
type Channel = 'ratchet_outbox' | 'ratchet_guards' | 'ratchet_holds' | 'ratchet_pauses';

export type Listener = {
  /** Calls on every announcement, and whenever the connection is new: what was said in between is lost. */
  on(channel: Channel, listener: (payload: string) => void): () => void;
  close(): Promise<void>;
};

const reconnectMs = 1_000;

/**
 * One connection that hears what commits announce. An announcement only makes things faster: whoever listens must also
 * look by itself from time to time. A lost connection is opened again until `close`.
 */
export function createListener(settings: {
  readonly url: string;
  readonly applicationName: string;
  readonly onError: (error: Error) => void;
}): Listener {
  const listeners: Record<Channel, Set<(payload: string) => void>> = {
    ratchet_outbox: new Set(),
    ratchet_guards: new Set(),
    ratchet_holds: new Set(),
    ratchet_pauses: new Set(),
  };
  const channels = Object.keys(listeners) as Channel[];
  const tell = (channel: Channel, payload: string) => {
    for (const listener of listeners[channel]) listener(payload);
  };
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const connect = async (): Promise<void> => {
    const opened = new pg.Client({
      connectionString: settings.url,
      application_name: settings.applicationName,
      keepAlive: true,
    });
    client = opened;
    opened.on('error', settings.onError);
    opened.on('end', () => {
      if (!isClosed && client === opened) timer = setTimeout(connect, reconnectMs);
    });
    opened.on('notification', ({ channel, payload }) => tell(channel as Channel, payload ?? ''));
    try {
      await opened.connect();
      await opened.query(channels.map((channel) => `listen ${channel}`).join('; '));
      for (const channel of channels) tell(channel, '');
    } catch (error) {
      settings.onError(error as Error);
      await opened.end().catch(settings.onError);
    }
  };
  const connecting = connect();

  return {
    on(channel, listener) {
      listeners[channel].add(listener);
      return () => listeners[channel].delete(listener);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await connecting;
      await client?.end();
    },
  };
}
