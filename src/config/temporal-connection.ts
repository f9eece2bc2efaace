import { loadClientConnectConfig } from '@temporalio/envconfig';
import { RatchetError } from '../domain/errors.ts';
import type { Environment } from './config.ts';

type ConnectionOptions = ReturnType<typeof loadClientConnectConfig>['connectionOptions'];

/** What a client or a worker connects with. `connectionOptions` goes to `connect()` as it is. */
export type TemporalConnection = {
  readonly address: string;
  readonly namespace: string;
  readonly connectionOptions: ConnectionOptions & { readonly address: string };
  /** What a logger must never print. */
  readonly secrets: readonly string[];
};

const local = { address: '127.0.0.1:7233', namespace: 'default' } as const;

/**
 * Reads the connection to Temporal the way every Temporal tool does: the `TEMPORAL_…` variables over the profile of
 * the configuration file. `fallback` is used for what neither of them names: the addresses of a running stack.
 *
 * @throws RatchetError TEMPORAL_CONFIG_INVALID
 */
export function loadTemporalConnection(
  environment: Environment,
  fallback: { readonly address: string; readonly namespace: string } = local,
): TemporalConnection {
  const { connectionOptions, namespace } = clientConfig(environment);
  const address = connectionOptions.address ?? fallback.address;
  const apiKey = connectionOptions.apiKey;
  return {
    address,
    namespace: namespace ?? fallback.namespace,
    connectionOptions: { ...connectionOptions, address },
    secrets: typeof apiKey === 'string' ? [apiKey] : [],
  };
}

function clientConfig(environment: Environment): ReturnType<typeof loadClientConnectConfig> {
  const variables = Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(variables) });
  } catch (error) {
    throw new RatchetError('TEMPORAL_CONFIG_INVALID', { problem: String(error) }, { cause: error });
  }
}
