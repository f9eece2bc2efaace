import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { SpooledHalt } from '../config/halt-spool.ts';
import type { StackFile } from '../config/stack-file.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';

/** What a look came to where the venue alone is asked, as the process that sweeps says it. */
export type DirectProgress = {
  /** By client order id, as `left`. */
  readonly canceled: readonly string[];
  readonly left: readonly string[];
  readonly looks: number;
  /** The venue has said twice that none is left. */
  readonly isClear: boolean;
};

type Place = { readonly config: Config; readonly stack: StackFile | undefined; readonly databaseUrl?: string };

/**
 * Sweeps a venue for a hold from this machine, as a worker would. Ends when its process has.
 *
 * @throws RatchetError HALT_VENUE_UNKNOWN when neither the environment nor the stack's file says how to reach the venue.
 */
export const sweepHold = (
  place: Place,
  order: { readonly holdVersion: string; readonly venue: string },
): Promise<void> => sweepDirectly(place, { mode: 'sweep', ...order }, () => undefined);

/**
 * The same with the venue alone, without the database, until it is clear or it is time to give up.
 *
 * @throws RatchetError HALT_VENUE_UNKNOWN
 */
export const sweepVenue = (
  place: Place,
  order: { readonly halt: SpooledHalt; readonly giveUpAfterMs: number },
  onProgress: (seen: DirectProgress) => void,
): Promise<void> =>
  sweepDirectly(place, { mode: 'without-database', ...order }, (line) => {
    const { canceled, left, looks, isClear } = JSON.parse(line) as DirectProgress;
    onProgress({ canceled, left, looks, isClear });
  });

/** In a process of its own that knows the venue: the command line does not. */
function sweepDirectly(place: Place, order: object, onLine: (line: string) => void): Promise<void> {
  const environment = environmentOf(place);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, program(), JSON.stringify(order)], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let complaint = '';
    createInterface({ input: child.stdout }).on('line', onLine);
    child.stderr.on('data', (chunk) => {
      complaint += String(chunk);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new RatchetError('VENUE_UNAVAILABLE', { detail: complaint.trim().slice(0, 500) }));
    });
  });
}

function environmentOf({ config, stack, databaseUrl }: Place): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, RATCHET_DATA: config.RATCHET_DATA };
  if (databaseUrl !== undefined) environment['DATABASE_URL'] = databaseUrl;
  if (config.RATCHET_VENUE_REST_URL !== undefined) return environment;
  const venue = stack?.venueAccess;
  if (venue === undefined) throw new RatchetError('HALT_VENUE_UNKNOWN', { data: config.RATCHET_DATA });
  return {
    ...environment,
    RATCHET_VENUE_REST_URL: venue.restUrl,
    RATCHET_VENUE_STREAM_URL: venue.streamUrl,
    RATCHET_VENUE_WS_API_URL: venue.wsApiUrl,
    VENUE_API_KEY_FILE: venue.keyFile,
    VENUE_API_SECRET_FILE: venue.secretFile,
  };
}

// Beside this one in the sources and when it is compiled.
function program(): string {
  const candidates = ['js', 'ts'].map((ending) =>
    fileURLToPath(new URL(`../main/halt-now.${ending}`, import.meta.url)),
  );
  return candidates.find((file) => existsSync(file)) ?? (candidates[0] as string);
}
