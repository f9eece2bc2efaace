import type { SimulatorClock } from '../clock.ts';
import type { PriceRow } from './price-rows.ts';
import type { PriceSource } from './price-source.ts';

type ReplayState = {
  readonly source: string;
  /** How many of the source's trades have been played. */
  readonly playedRows: number;
  readonly speed: number;
  readonly isPaused: boolean;
  readonly pricesEnded: boolean;
};

/** Plays a source's trades at its own intervals, divided by the speed. */
export type Replay = {
  state(): ReplayState;
  pause(): void;
  resume(): void;
  setSpeed(speed: number): void;
  stop(): void;
};

type ReplayOptions = {
  readonly source: PriceSource;
  /** Goes on behind so many trades that were played before. */
  readonly playedRows: number;
  readonly speed: number;
  readonly clock: SimulatorClock;
  /** Plays one trade; `playedRows` counts it. */
  play(row: PriceRow, playedRows: number): void;
  /** Called once a second after the last trade: the quotes go on. */
  onQuiet(): void;
};

// A replay that is faster than the machine must still let requests through between the trades.
const rowsPerTurn = 200;
const quietMs = 1_000;

export function startReplay(options: ReplayOptions): Replay {
  const { source, clock } = options;
  const rows = source.rows(options.playedRows)[Symbol.iterator]();
  let { playedRows, speed } = options;
  let next = rows.next();
  let isPaused = false;
  let cancel = (): void => undefined;
  // The source's time and the clock's time that belong together; set anew whenever the pace changes.
  let origin = { sourceMs: next.value?.atMs ?? 0, clockMs: clock.nowMs() };

  // In whole milliseconds: what is less than the clock can tell apart would never come.
  const dueInMs = (row: PriceRow): number =>
    Math.ceil((row.atMs - origin.sourceMs) / speed - (clock.nowMs() - origin.clockMs));

  const schedule = (): void => {
    cancel();
    if (isPaused) return;
    cancel = next.done ? clock.schedule(quietMs, quiet) : clock.schedule(Math.max(0, dueInMs(next.value)), turn);
  };

  const quiet = (): void => {
    options.onQuiet();
    schedule();
  };

  const turn = (): void => {
    for (let count = 0; count < rowsPerTurn && !next.done && dueInMs(next.value) <= 0; count += 1) {
      playedRows += 1;
      options.play(next.value, playedRows);
      next = rows.next();
    }
    schedule();
  };

  const setOrigin = (): void => {
    origin = { sourceMs: next.value?.atMs ?? 0, clockMs: clock.nowMs() };
    schedule();
  };

  schedule();
  return {
    state: () => ({ source: source.name, playedRows, speed, isPaused, pricesEnded: next.done === true }),
    pause() {
      isPaused = true;
      cancel();
    },
    resume() {
      isPaused = false;
      setOrigin();
    },
    setSpeed(faster) {
      speed = faster;
      setOrigin();
    },
    stop() {
      isPaused = true;
      cancel();
      rows.return?.();
    },
  };
}

/** The replays of several symbols, steered as one. */
export function together(replays: readonly Replay[]): Replay {
  const each = (work: (replay: Replay) => void): void => {
    for (const replay of replays) work(replay);
  };
  return {
    state() {
      const states = replays.map((replay) => replay.state());
      return {
        source: states.map(({ source }) => source).join(' + '),
        playedRows: states.reduce((total, { playedRows }) => total + playedRows, 0),
        speed: states[0]?.speed ?? 1,
        isPaused: states.every(({ isPaused }) => isPaused),
        pricesEnded: states.every(({ pricesEnded }) => pricesEnded),
      };
    },
    pause: () => each((replay) => replay.pause()),
    resume: () => each((replay) => replay.resume()),
    setSpeed: (speed) => each((replay) => replay.setSpeed(speed)),
    stop: () => each((replay) => replay.stop()),
  };
}
