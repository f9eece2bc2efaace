import type { WebSocket } from 'ws';
import type { SimulatorClock } from '../clock.ts';
import type { FaultAction, Faults } from '../faults/faults.ts';

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
  send(frame: object): void;
  /** Sends text as it is, past the plan: how a test brings broken frames in. */
  sendRaw(text: string): void;
  close(code: number): void;
};

type Context = {
  readonly path: string;
  readonly faults: Faults;
  readonly clock: SimulatorClock;
  readonly rules: SocketRules;
};

export function openChannel(socket: WebSocket, { path, faults, clock, rules }: Context): Channel {
  let silentUntilMs = 0;
  let held: string[] = [];

  const sendRaw = (text: string): void => {
    if (socket.readyState === socket.OPEN && clock.nowMs() >= silentUntilMs) socket.send(text);
  };

  // What a plan does to a frame: the texts that go out instead, now.
  const twisted = (text: string, action: FaultAction): readonly string[] => {
    switch (action.action) {
      case 'dup':
        return [text, text];
      case 'garbage':
        return ['{"e":"trade","p":"'];
      case 'reorder':
        held = [text, ...held];
        return held.length < action.frames ? [] : held.splice(0);
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
        // `drop`, and whatever belongs to requests: the frame is lost.
        return [];
    }
  };

  keepAlive(socket, rules, () => clock.nowMs() >= silentUntilMs);

  return {
    path,
    sendRaw,
    send(frame) {
      const text = JSON.stringify(frame);
      const [rule] = faults.strike({ method: 'STREAM', path, fields: payloadOf(frame) });
      for (const each of rule ? twisted(text, rule.do) : [text]) sendRaw(each);
    },
    close: (code) => socket.close(code),
  };
}

/** The event inside the frame: combined streams and the user stream wrap it. */
function payloadOf(frame: object): Readonly<Record<string, unknown>> {
  const { data, event } = frame as { data?: object; event?: object };
  return { ...(data ?? event ?? frame) };
}

function keepAlive(socket: WebSocket, rules: SocketRules, maySpeak: () => boolean): void {
  let heardAtMs = Date.now();
  socket.on('pong', () => {
    heardAtMs = Date.now();
  });
  // Not left to the library, which would answer while the connection is to be silent.
  socket.on('ping', (data) => {
    if (maySpeak()) socket.pong(data);
  });
  const pings = setInterval(() => {
    if (Date.now() - heardAtMs > rules.pongWithinMs + rules.pingEveryMs) return socket.terminate();
    if (maySpeak()) socket.ping(String(Date.now()));
  }, rules.pingEveryMs);
  const end = setTimeout(() => socket.close(1000), rules.lifetimeMs);
  socket.on('close', () => {
    clearInterval(pings);
    clearTimeout(end);
  });
}
