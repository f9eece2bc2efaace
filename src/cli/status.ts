import { temporalHealth } from '../client/task-queues.ts';
import { breakerSettings } from '../config/config.ts';
import { accountScope } from '../contracts/messages/names.ts';
import { statusOf } from '../contracts/schemas/status-of.ts';
import { type StatusView, statusSchema } from '../contracts/schemas/status-view.ts';
import { openAlerts } from '../store/alerts.ts';
import type { Db } from '../store/database.ts';
import { readStatus } from '../store/status.ts';
import { readExposures } from '../store/trades/exposures.ts';
import { readAccount } from '../store/trading-state/accounts.ts';
import { readBreaker } from '../store/trading-state/breaker.ts';
import { holdsInForce } from '../store/trading-state/holds.ts';
import { describeScope } from './hold-scope.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, type Site, withDatabase } from './site.ts';
import { withTemporal } from './temporal.ts';

/** `ratchet status`: exit code 1 when something is wrong. Temporal that is down is one of those things. */
export function run(options: GlobalOptions): Promise<number> {
  return withDatabase(options, async (db, site) => {
    const status = statusSchema.parse(await statusNow(db, site));
    print(options, status, describeStatus(status));
    return status.problems.length === 0 ? exitCodes.done : exitCodes.refused;
  });
}

async function statusNow(db: Db, site: Site): Promise<StatusView> {
  const { config, account, venue } = site;
  const nowMs = Date.now();
  const [known, exposures, book, holds, alerts, breaker, health] = await Promise.all([
    readAccount(db, account),
    readExposures(db, account),
    readStatus(db),
    holdsInForce(db, nowMs),
    openAlerts(db),
    readBreaker(db, accountScope(account), nowMs),
    withTemporal(site, (temporal) => temporalHealth(temporal, venue)),
  ]);
  const names = { mode: config.RATCHET_MODE, account, venue, currency: known?.currency ?? config.RATCHET_CURRENCY };
  const facts = { site: names, account: known, exposures, book, holds, alerts, breaker, health, nowMs };
  return statusOf({ ...facts, breakerSettings: breakerSettings(config) });
}

function describeStatus(status: StatusView): readonly string[] {
  const { mode, account, venue, currency, equity, trades, orders, breaker, holds, parts, problems } = status;
  const { portfolio, remaining, outbox, audit } = status;
  return [
    mode === 'paper' ? 'PAPER MODE: no real money' : 'LIVE MODE: REAL MONEY',
    `account ${account} at ${venue}, equity ${equity.amount === null ? 'not known' : `${equity.amount} ${currency}`}`,
    `used: exposure ${portfolio.exposure} ${currency}, delta ${portfolio.delta}, ${portfolio.openTrades} trades`,
    `room for one more order: exposure ${remaining.exposure ?? 'not known'}, delta ${remaining.delta ?? 'not known'}`,
    `trades: ${trades.placing} placing, ${trades.working} working, ${trades.open} open, ${trades.closing} closing`,
    `orders: ${orders.working} working, ${orders.inDoubt} in doubt, ${orders.parked} parked`,
    `circuit breaker ${breaker.state}`,
    holds.length === 0 ? 'no halts' : 'HALTED:',
    ...holds.map(
      (hold) => `  ${describeScope(hold.scope)}, ${hold.level}, by ${hold.actor} (${hold.source}): ${hold.reason}`,
    ),
    `to deliver: ${outbox.open} messages; to seal: ${audit.unsealed} records`,
    ...Object.entries(parts).map(([name, part]) => `${part.ok ? 'ok     ' : 'NOT OK '} ${name}: ${part.detail}`),
    ...(problems.length === 0 ? ['Nothing is wrong.'] : ['WRONG:', ...problems.map((problem) => `  ${problem}`)]),
  ];
}
