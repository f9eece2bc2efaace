import type { Logger } from 'pino';
import { accountPositionSchema, executionReportSchema, streamFrameSchema } from '../../contracts/schemas/binance.ts';
import type { Clock } from '../clock.ts';
import { openReconnectingSocket, type SocketTimings } from '../reconnecting-socket.ts';
import type { Subscription, UserDataEvent } from '../venue.ts';
import { reportedOrderOf } from './parse.ts';
import { type Signer, signedParameters } from './sign.ts';
import type { SymbolNames } from './symbols.ts';
import type { VenueClock } from './venue-clock.ts';

export type UserStreamOptions = {
  readonly wsApiUrl: string;
  readonly apiKey: string;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly venueClock: VenueClock;
  readonly names: SymbolNames;
  readonly logger: Logger;
  /** Takes secrets out of what the venue says of a subscription it refuses. */
  readonly scrub: (text: string) => string;
  readonly timings?: Partial<SocketTimings>;
};

type Frame = {
  readonly status?: number | undefined;
  readonly error?: { readonly code: number; readonly msg: string } | undefined;
};

// A subscription is answered at once or its answer is lost, and until it is heard the account is only polled.
const subscribeTimeoutMs = 3000;

/**
 * Orders, fills and balances of the account. A message that can't be read ends the connection instead of being skipped:
 * the subscriber then reads over REST what the message would have said.
 */
export function openUserStream(options: UserStreamOptions, onEvent: (event: UserDataEvent) => void): Subscription {
  const { wsApiUrl, apiKey, signer, clock, venueClock, names, logger, scrub, timings = {} } = options;
  let connection = 0;
  let answerTimeout: NodeJS.Timeout | undefined;

  const socket = openReconnectingSocket(
    { url: () => wsApiUrl, clock, timings },
    {
      onOpen: () => {
        connection += 1;
        void subscribe(connection);
      },
      onAlive: () => undefined,
      onDown: (detail) => {
        connection += 1;
        clearTimeout(answerTimeout);
        onEvent({ type: 'disconnected', detail });
      },
      onMessage: (text) => {
        const fault = receive(text);
        if (fault === null) return;
        logger.warn({ fault }, 'user data stream starts again');
        socket.reconnect(fault);
      },
    },
  );

  async function subscribe(current: number): Promise<void> {
    try {
      await names.load();
      const timestamp = await venueClock.nowMs();
      // The connection may have gone while we asked for the names and the time.
      if (current !== connection) return;
      const params = signedParameters({ apiKey, timestamp }, signer);
      socket.send(JSON.stringify({ id: String(current), method: 'userDataStream.subscribe.signature', params }));
      answerTimeout = setTimeout(() => socket.reconnect('no answer to the subscription'), subscribeTimeoutMs);
    } catch (error) {
      logger.warn({ err: error }, 'user data stream could not subscribe');
      if (current === connection) socket.reconnect('the subscription could not be made');
    }
  }

  /** Why the connection is of no more use, or null. */
  function receive(text: string): string | null {
    const frame = streamFrameSchema.safeParse(parseJson(text)).data;
    if (frame === undefined) return 'a message that is none';
    const event = frame.event ?? (frame.e === undefined ? undefined : { e: frame.e });
    if (event === undefined) return subscribed(frame);
    if (event.e === 'executionReport') return receiveReport(event);
    if (event.e === 'outboundAccountPosition') return receiveBalances(event);
    if (event.e === 'eventStreamTerminated' || event.e === 'serverShutdown') return `the venue says ${event.e}`;
    return null;
  }

  function subscribed({ status, error }: Frame): string | null {
    clearTimeout(answerTimeout);
    if (error?.code === -1021) venueClock.refused();
    if (status !== 200) return `subscription refused: ${status} ${error?.code ?? ''} ${scrub(error?.msg ?? '')}`;
    onEvent({ type: 'connected' });
    return null;
  }

  function receiveReport(event: unknown): string | null {
    const report = executionReportSchema.safeParse(event).data;
    if (report === undefined) return 'an execution report that can not be read';
    const symbol = names.nameOf(report.s);
    if (symbol === undefined) {
      names.expire();
      return `an execution report for the unknown symbol ${report.s}`;
    }
    onEvent({ type: 'order', order: reportedOrderOf(report, { symbol, observedAtMs: clock.nowMs() }) });
    return null;
  }

  function receiveBalances(event: unknown): string | null {
    const position = accountPositionSchema.safeParse(event).data;
    if (position === undefined) return 'balances that can not be read';
    const balances = position.B.map(({ a, f, l }) => ({ asset: a, free: f, locked: l }));
    onEvent({ type: 'balances', balances, updatedAtMs: position.u });
    return null;
  }

  return {
    close: async () => {
      connection += 1;
      clearTimeout(answerTimeout);
      socket.close();
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
