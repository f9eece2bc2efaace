import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { judgeBench } from '../support/order-bench/judge.ts';
import { aTheater, placements } from './stories.ts';

const theater = aTheater();

/** Longer than a session waits for a lock, so that attempts fail and come again. */
const slowMs = 2_500;

describe('F68: the record is slow', () => {
  test('entries and exits wait for it, and nothing leaves without it', async () => {
    const bench = await theater.open();
    await bench.trade();
    const before = placements(await bench.evidence()).length;
    const owner = new pg.Client(theater.ownerUrl());
    await owner.connect();
    await owner.query('begin');
    await owner.query('lock table audit_event in exclusive mode');
    const trading = bench.trade({ validForMs: 600_000 });
    await setTimeout(slowMs);
    const sentMeanwhile = bench.simulator.requests().filter(({ method }) => method === 'POST').length - before;
    await owner.query('commit');
    await owner.end();
    expect(sentMeanwhile).toBe(0);
    const { entry, closed } = await trading;
    expect(entry).toMatchObject({ status: 'filled' });
    expect(closed).toMatchObject({ dust: '0' });
    expect(judgeBench(await bench.evidence())).toEqual([]);
  });

  test('an entry whose time is over by then is denied, and what was reserved for it is free', async () => {
    const bench = await theater.open();
    await bench.trade();
    const request = bench.request();
    await bench.runner().run('checkLimits', [request, 'run-1']);
    const owner = new pg.Client(theater.ownerUrl());
    await owner.connect();
    await owner.query('begin');
    await owner.query('lock table audit_event in exclusive mode');
    const ref = { tradeId: request.tradeId, leg: 0, purpose: 'entry', generation: 1 } as const;
    const placing = bench.runner().run('placeOrder', [ref]);
    await setTimeout(slowMs);
    await bench.pass(11_000);
    await owner.query('commit');
    await owner.end();
    expect(await placing).toMatchObject({ status: 'denied', reasonCode: 'REQUEST_EXPIRED' });
    const evidence = await bench.evidence();
    expect(evidence.ledger.orders.filter(({ side }) => side === 'BUY')).toHaveLength(1);
    expect(judgeBench(evidence)).toEqual([]);
  });
});
