import type { WebSocket } from 'ws';
import type { SimulatorClock } from '../clock.ts';
import type { Conditions, StreamKind } from '../conditions.ts';
import type { FaultAction, Faults } from '../faults/faults.ts';
import { withLie } from '../faults/ordeal.ts';

/** How a connection is kept alive and for how long, in real time. */
export type SocketRules = {
  readonly pingEveryMs: number;
  /** Without a pong for so long, the connection is cut. */
  readonly pongWithinMs: number;
  /** A connection ends after this, as the exchange's do after 24 hours. */
  readonly lifetimeMs: number;
};

export const standardSocketRules: SocketRules = { pingEveryMs: 20_000, pongWithinMs: 60_000, lifetimeMs: 86_400_000 };

/** One client's stream. Frames go out as far as the plan of faults lets them. */
export type Channel = {
  readonly path: string;
  readonly kind: StreamKind;
  send(frame: object): void;
  /** Sends text as it is, past the plan: how a test brings broken frames in. */
  sendRaw(text: string): void;
  close(code: number): void;
};

export type ChannelContext = {
  readonly faults: Faults;
  readonly conditions: Conditions;
  readonly clock: SimulatorClock;
  readonly rules: SocketRules;
};

const heldForMs = 1_000;
const garbage = '{"e":"trade","p":"';

export function openChannel(
  socket: WebSocket,
  { path, kind }: { readonly path: string; readonly kind: StreamKind },
  { faults, conditions, clock, rules }: ChannelContext,
): Channel {
  let silentUntilMs = 0;
  const maySpeak = (): boolean => clock.nowMs() >= silentUntilMs && !conditions.silent.has(kind);

  const sendRaw = (text: string): void => {
    if (socket.readyState === socket.OPEN && maySpeak()) socket.send(text);
  };
  const shelf = createShelf(clock, sendRaw);

  // What a plan does to a frame: the texts that go out instead, now.
  const twisted = (text: string, action: FaultAction): readonly string[] => {
    switch (action.action) {
      case 'dup':
        return [text, text];
      case 'garbage':
        return [garbage];
      case 'lie':
        return [lieAbout(text, action.fields)];
      case 'reorder':
        shelf.hold(action.frames, action.ms ?? heldForMs);
        return [text];
      case 'delay':
        clock.schedule(action.ms, () => sendRaw(text));
        return [];
      case 'silence':
        silentUntilMs = clock.nowMs() + action.ms;
        return [];
      case 'close':
        socket.close(action.code);
        return [];
      case 'reset':
        socket.terminate();
        return [];
      default:
        // `drop`: the frame is lost.
        return [];
    }
  };

  keepAlive(socket, rules, maySpeak);

  return {
    path,
    kind,
    sendRaw,
    send(frame) {
      const struck = faults.strike({ method: 'STREAM', path, fields: payloadOf(frame) });
      const texts = struck.reduce<readonly string[]>(
        (before, rule) => before.flatMap((text) => twisted(text, rule.do)),
        [JSON.stringify(frame)],
      );
      for (const text of texts) shelf.send(text);
    },
    close: (code) => socket.close(code),
  };
}

/** Lets frames through as they come, or, while it holds, so many of them in reverse. */
function createShelf(clock: SimulatorClock, sendRaw: (text: string) => void) {
  let wanted = 0;
  let held: string[] = [];
  let stopWaiting = (): void => undefined;
  const release = (): void => {
    stopWaiting();
    wanted = 0;
    for (const text of held.splice(0)) sendRaw(text);
  };
  return {
    /** Where it holds already, it goes on as it is. */
    hold(frames: number, forMs: number): void {
      if (wanted > 0) return;
      wanted = frames;
      const cancel = clock.schedule(forMs, release);
      stopWaiting = () => void cancel();
    },
    send(text: string): void {
      if (wanted === 0) sendRaw(text);
      else held = [text, ...held];
      if (wanted > 0 && held.length >= wanted) release();
    },
  };
}

type Wrapped = { readonly data?: object; readonly event?: object };

/** The event inside the frame: combined streams and the user stream wrap it. */
function payloadOf(frame: object): Readonly<Record<string, unknown>> {
  const { data, event } = frame as Wrapped;
  return { ...(data ?? event ?? frame) };
}

function lieAbout(text: string, fields: Readonly<Record<string, unknown>>): string {
  // Another rule may have made it garbage before.
  if (text === garbage) return text;
  const frame = JSON.parse(text) as Wrapped;
  if (frame.data) return JSON.stringify({ ...frame, data: withLie(frame.data, fields) });
  return JSON.stringify(frame.event ? { ...frame, event: withLie(frame.event, fields) } : withLie(frame, fields));
}

// In real time whatever the venue's clock: it is about the two processes, and no test wants pings for the days it skips.
function keepAlive(
  socket: WebSocket,
  { pingEveryMs, pongWithinMs, lifetimeMs }: SocketRules,
  maySpeak: () => boolean,
): void {
  let unanswered = 0;
  socket.on('pong', () => {
    unanswered = 0;
  });
  // Not left to the library, which would answer while the connection is to be silent.
  socket.on('ping', (data) => {
    if (maySpeak()) socket.pong(data);
  });
  const pings = setInterval(() => {
    if (unanswered * pingEveryMs > pongWithinMs) return socket.terminate();
    if (!maySpeak()) return;
    unanswered += 1;
    socket.ping();
  }, pingEveryMs);
  const end = setTimeout(() => socket.close(1000), lifetimeMs);
  socket.on('close', () => {
    clearInterval(pings);
    clearTimeout(end);
  });
}
