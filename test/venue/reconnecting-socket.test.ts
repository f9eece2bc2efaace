import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/venue/clock.ts';
import { openReconnectingSocket } from '../../src/venue/reconnecting-socket.ts';

/** Stands in for a connection of the library: nothing happens on it but what the test does. */
const sockets = vi.hoisted(() => {
  const opened: { url: string; emit(event: string, ...values: unknown[]): void; pings: number; isOver: boolean }[] = [];
  return { opened };
});

vi.mock('ws', async () => {
  const { EventEmitter } = await import('node:events');
  class FakeSocket extends EventEmitter {
    pings = 0;
    isOver = false;
    readonly url: string;
    constructor(url: string) {
      super();
      this.url = url;
      sockets.opened.push(this);
    }
    ping() {
      this.pings += 1;
    }
    send() {}
    terminate() {
      this.isOver = true;
    }
  }
  return { default: FakeSocket };
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  sockets.opened.length = 0;
});

function aSocket() {
  const heard: string[] = [];
  const socket = openReconnectingSocket(
    { url: () => 'ws://venue', clock: systemClock, random: () => 1 },
    {
      onOpen: () => heard.push('open'),
      onMessage: (text) => heard.push(text),
      onAlive: () => heard.push('alive'),
      onDown: (detail) => heard.push(`down: ${detail}`),
    },
  );
  const last = () => sockets.opened.at(-1);
  return { socket, heard, last };
}

/** Milliseconds until the next connection is tried. */
function pauseMs(): number {
  const before = sockets.opened.length;
  for (let waited = 0; waited <= 60_000; waited += 100) {
    if (sockets.opened.length > before) return waited;
    vi.advanceTimersByTime(100);
  }
  return Number.POSITIVE_INFINITY;
}

describe('attempts', () => {
  test('are 1, 2, 4, 8 and 16 seconds apart, and then 16 again', () => {
    const { last } = aSocket();
    const pauses = Array.from({ length: 7 }, () => {
      last()?.emit('close', 1006);
      return pauseMs();
    });
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 16_000, 16_000]);
  });

  test('begin again at one second after a connection that lasted', () => {
    const { last } = aSocket();
    for (let i = 0; i < 3; i += 1) {
      last()?.emit('close', 1006);
      pauseMs();
    }
    last()?.emit('open');
    vi.advanceTimersByTime(10_000);
    last()?.emit('close', 1006);
    expect(pauseMs()).toBe(1000);
  });

  test('grow further apart while connections open and die at once', () => {
    const { last } = aSocket();
    const pauses = Array.from({ length: 4 }, () => {
      last()?.emit('open');
      last()?.emit('message', 'hello');
      last()?.emit('close', 1006);
      return pauseMs();
    });
    expect(pauses).toEqual([1000, 2000, 4000, 8000]);
  });

  test('end with close', () => {
    const { socket, last } = aSocket();
    last()?.emit('close', 1006);
    socket.close();
    expect(pauseMs()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('silence', () => {
  test('of sixty seconds ends a connection', () => {
    const { heard, last } = aSocket();
    last()?.emit('open');
    vi.advanceTimersByTime(59_000);
    expect(heard).toEqual(['open']);
    vi.advanceTimersByTime(2000);
    expect(heard).toEqual(['open', 'down: nothing for 60000 ms']);
    expect(sockets.opened[0]?.isOver).toBe(true);
  });

  test.each(['ping', 'pong', 'message'])('is broken by a %s', (frame) => {
    const { heard, last } = aSocket();
    last()?.emit('open');
    for (let i = 0; i < 5; i += 1) {
      vi.advanceTimersByTime(50_000);
      last()?.emit(frame, 'hello');
    }
    expect(heard.filter((each) => each.startsWith('down'))).toEqual([]);
  });

  test('is asked about by pings of our own', () => {
    const { last } = aSocket();
    last()?.emit('open');
    vi.advanceTimersByTime(10_000);
    expect(last()?.pings).toBe(5);
  });
});

describe('reconnect', () => {
  test('leaves a stable connection at once', () => {
    const { socket, last } = aSocket();
    last()?.emit('open');
    vi.advanceTimersByTime(10_000);
    socket.reconnect('the venue says good-bye');
    expect(pauseMs()).toBeLessThanOrEqual(100);
  });

  test('waits where the last connections did not last, so that a good-bye can not become a storm', () => {
    const { socket, last } = aSocket();
    const pauses = Array.from({ length: 3 }, () => {
      last()?.emit('open');
      socket.reconnect('the venue says good-bye');
      return pauseMs();
    });
    expect(pauses).toEqual([1000, 2000, 4000]);
  });

  test('comes by itself before the venue cuts the connection after a day', () => {
    const { heard, last } = aSocket();
    last()?.emit('open');
    const halfMinutes = (count: number): void => {
      for (let i = 0; i < count; i += 1) {
        vi.advanceTimersByTime(30_000);
        sockets.opened[0]?.emit('ping');
      }
    };
    halfMinutes(23 * 120);
    expect(sockets.opened).toHaveLength(1);
    halfMinutes(61);
    expect(heard).toContain('down: renewed before the venue cuts it');
    expect(sockets.opened).toHaveLength(2);
  });
});

test('what a connection says after it was given up is not heard', () => {
  const { heard, socket, last } = aSocket();
  const first = last();
  first?.emit('open');
  socket.reconnect('enough');
  first?.emit('message', 'too late');
  first?.emit('close', 1000);
  expect(heard).toEqual(['open', 'down: enough']);
});
