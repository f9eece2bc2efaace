import type { SimulatorClock } from '../clock.ts';
import type { StreamKind } from '../conditions.ts';
import type { Replay } from '../prices/replay.ts';
import type { VenueCore } from '../venue-core.ts';

/** The venue's streams, as far as something can be done to them. */
export type StreamControls = {
  /** Sends text as it is to every connection of the market. */
  sendRaw(text: string): void;
  /** Closes the connections of that kind. */
  close(kind: StreamKind, code: number): void;
  /** Ends the subscriptions to the account's events; the connections stay. */
  endSubscriptions(): void;
  /** Says that the venue goes down. */
  announceShutdown(kind: StreamKind): void;
};

/** What commands and scenarios work on. */
export type Stage = {
  readonly core: VenueCore;
  readonly replay: Replay | null;
  readonly streams: StreamControls;
  readonly troubles: Troubles;
};

/** A wish that cannot be fulfilled, in words for who asked. */
export class StageProblem extends Error {
  override readonly name = 'StageProblem';
}

export const streamKinds: readonly StreamKind[] = ['market', 'user'];

type Trouble = { readonly name: string; readonly sinceMs: number; readonly untilMs: number | null };

/** What is wrong at present, and how it is undone: by itself when its time is over, or when somebody asks. */
export type Troubles = {
  /**
   * Starts one; `start` returns what undoes it. Where there is one of that name already, it is undone first. Without a time it
   * lasts until it is ended.
   */
  begin(name: string, forMs: number | null, start: () => () => void): void;
  end(name: string): void;
  endAll(): void;
  list(): readonly Trouble[];
};

export function createTroubles(clock: SimulatorClock): Troubles {
  const open = new Map<string, Trouble & { readonly undo: () => void; readonly cancel: () => void }>();

  const end = (name: string): void => {
    const trouble = open.get(name);
    if (!trouble) return;
    open.delete(name);
    trouble.cancel();
    trouble.undo();
  };

  return {
    begin(name, forMs, start) {
      end(name);
      const undo = start();
      const cancel = forMs === null ? () => undefined : clock.schedule(forMs, () => end(name));
      const sinceMs = clock.nowMs();
      open.set(name, { name, sinceMs, untilMs: forMs === null ? null : sinceMs + forMs, undo, cancel });
    },
    end,
    endAll() {
      for (const name of [...open.keys()].reverse()) end(name);
    },
    list: () => [...open.values()].map(({ name, sinceMs, untilMs }) => ({ name, sinceMs, untilMs })),
  };
}
