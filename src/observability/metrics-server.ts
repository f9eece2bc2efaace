import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

type MetricsServerOptions = {
  readonly registry: Registry;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** `host:port` of the Temporal SDK's own Prometheus endpoint in this process: its text is added to ours. */
  readonly sdkAddress?: string;
  /** What is wrong with this process, or undefined. Answered at /healthz. */
  readonly fault?: () => string | undefined;
};

export type MetricsServer = { readonly url: string; readonly close: () => Promise<void> };

const sdkTimeoutMs = 1_000;

/** Serves `/metrics` (Prometheus text) and `/healthz` (200 `ok`, or 503 with the fault). Rejects when it can't listen. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    answer(options, request).then(
      (reply) => send(response, reply),
      () => send(response, { status: 500, text: 'the metrics can not be read\n' }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Reply = { readonly status: number; readonly text: string };

async function answer(options: MetricsServerOptions, request: IncomingMessage): Promise<Reply> {
  const path = request.url?.split('?')[0];
  if (path === '/metrics') return { status: 200, text: await metricsText(options) };
  if (path === '/healthz') {
    const fault = options.fault?.();
    return fault === undefined ? { status: 200, text: 'ok\n' } : { status: 503, text: `${fault}\n` };
  }
  return { status: 404, text: '/metrics and /healthz are here\n' };
}

async function metricsText({ registry, sdkAddress }: MetricsServerOptions): Promise<string> {
  const [ours, theirs] = await Promise.all([registry.metrics(), sdkAddress ? sdkMetrics(sdkAddress) : '']);
  return `${ours.trimEnd()}\n${theirs}`;
}

// Our own numbers must not fail with the SDK's: its endpoint closes with the last worker of the process.
async function sdkMetrics(address: string): Promise<string> {
  try {
    const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(sdkTimeoutMs) });
    return response.ok ? await response.text() : `# the SDK's metrics answered ${response.status}\n`;
  } catch {
    return "# the SDK's metrics are not there\n";
  }
}

function send(response: ServerResponse, { status, text }: Reply): void {
  response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(text);
}
