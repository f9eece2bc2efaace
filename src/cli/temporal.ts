import { Client, Connection } from '@temporalio/client';
import { payloadOptions } from '../config/payloads.ts';
import { loadTemporalConnection } from '../config/temporal-connection.ts';
import type { Site } from './site.ts';

/** Runs a command with a client that connects with its first call. */
export async function withTemporal<Result>(site: Site, work: (temporal: Client) => Promise<Result>): Promise<Result> {
  const { connectionOptions, namespace } = addressOf(site);
  const connection = Connection.lazy(connectionOptions);
  try {
    return await work(new Client({ connection, namespace, ...payloadOptions(site.config) }));
  } finally {
    await connection.close();
  }
}

// The database and the Temporal of one stack belong together: whoever names neither of them gets both from its file.
function addressOf({ config, stack }: Site) {
  if (stack === undefined || config.DATABASE_URL !== undefined) {
    return loadTemporalConnection(process.env, stack?.temporal);
  }
  return { connectionOptions: { address: stack.temporal.address }, namespace: stack.temporal.namespace };
}
