import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';
import { type MetricsServer, startMetricsServer } from '../../src/observability/metrics-server.ts';

describe('createMetrics', () => {
  test('keeps to the naming rules of Prometheus', async () => {
    const registry = new Registry();
    createMetrics(registry);
    for (const { name, help, type } of await registry.getMetricsAsJSON()) {
      expect(name).toMatch(/^ratchet_[a-z_]+$/);
      expect(help).toMatch(/^[A-Z1].*\.$/);
      expect(name.endsWith('_total'), name).toBe(String(type) === 'counter');
      expect(name, 'base units').not.toMatch(/_(ms|millis|milliseconds)(_|$)/);
      if (String(type) === 'histogram') expect(name).toMatch(/_seconds$/);
    }
  });

  test('counts by labels of few values', async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry);
    metrics.entriesDecided.inc({ outcome: 'denied', code: 'PRICE_UNKNOWN' });
    metrics.requestToExit.observe({ reason: 'trailingStop' }, 0.042);
    const text = await registry.metrics();
    expect(text).toContain('ratchet_entries_decided_total{outcome="denied",code="PRICE_UNKNOWN"} 1');
    expect(text).toContain('ratchet_exit_request_to_order_seconds_bucket{le="0.05",reason="trailingStop"} 1');
  });
});

describe('startMetricsServer', () => {
  const servers: MetricsServer[] = [];
  const start = async (options: Partial<Parameters<typeof startMetricsServer>[0]> = {}): Promise<MetricsServer> => {
    const registry = new Registry();
    createMetrics(registry).outboxOpen.set(7);
    const server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0, ...options });
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  test('serves our metrics and those of the SDK as one text', async () => {
    const sdk = createServer((_, response) => response.end('temporal_workflow_completed_total 3\n'));
    await new Promise<void>((resolve) => sdk.listen(0, '127.0.0.1', resolve));
    const { port } = sdk.address() as AddressInfo;
    const { url } = await start({ sdkAddress: `127.0.0.1:${port}` });
    const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
    sdk.close();
    expect(lines).toContain('ratchet_outbox_open 7');
    expect(lines).toContain('temporal_workflow_completed_total 3');
  });

  test("serves our metrics when the SDK's are not there", async () => {
    const { url } = await start({ sdkAddress: '127.0.0.1:9' });
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('ratchet_outbox_open 7');
  });

  test.each([
    { fault: undefined, status: 200, text: 'ok\n' },
    { fault: 'the database does not answer', status: 503, text: 'the database does not answer\n' },
  ])('answers /healthz with $status when the fault is $fault', async ({ fault, status, text }) => {
    const { url } = await start({ fault: () => fault });
    const response = await fetch(`${url}/healthz`);
    expect({ status: response.status, text: await response.text() }).toEqual({ status, text });
  });

  test('rejects when the port is taken', async () => {
    const { url } = await start();
    await expect(start({ port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
