import type { AccountWatchInput } from '../../src/contracts/messages/messages.ts';
import { equityOf } from '../../src/domain/equity.ts';
import { RatchetError } from '../../src/domain/errors.ts';
import { endBan } from '../../src/store/fleet/venue-bans.ts';
import { readAccount, saveBalances } from '../../src/store/trading-state/accounts.ts';
import { liftForVenue, venueTroubles } from '../../src/store/trading-state/venue-holds.ts';
import type { Balance, UserDataEvent } from '../../src/venue/venue.ts';
import type { ActivityDependencies, VenueRoom } from '../dependencies.ts';
import { whileBeating } from '../heartbeat.ts';
import { roomOf } from '../rooms.ts';
import { hearOrder } from './hear-order.ts';
import { createOrderPolls } from './poll-orders.ts';

const balancesEveryMs = 10_000;
/** Without a price of what the account holds its equity is unknown, and every entry denied. */
const equityAgainMs = 1_000;
const ordersEveryMs = 10_000;
const lookEveryMs = 250;
/** It hands back from time to time, so that its workflow's history can be continued as new. */
const stintMs = 6 * 3_600_000;

/**
 * Reads the account: the user-data stream as it comes, and over REST whatever the stream's gaps may have hidden: at
 * every (re)connection and every 10 seconds for orders that still work. Each change is committed, and the book's own
 * messages tell the lifecycles. Two attempts at once do no harm: what is known already changes nothing.
 */
export const createWatchAccount = (deps: ActivityDependencies) =>
  function watchAccount(input: AccountWatchInput): Promise<void> {
    return whileBeating(async (signal) => {
      const watch = accountWatcher(deps, input);
      try {
        const endAtMs = deps.now() + stintMs;
        while (!signal.aborted && deps.now() < endAtMs) {
          await watch.lookOnce();
          await deps.sleep(lookEveryMs);
        }
      } finally {
        await watch.close();
      }
    });
  };

/** What has to be read next: events in the order they came, and the moments of the next polls. */
function accountWatcher(deps: ActivityDependencies, { venue: name, account }: AccountWatchInput) {
  const room = roomOf(deps, name);
  const balances = new Map<string, Balance>();
  const events: UserDataEvent[] = [];
  let balancesDueAtMs = 0;
  // Every fill changes them, and only their last word counts: they are written once a look, however many there were.
  let isUnsaved = false;
  const value = async (read: readonly Balance[]): Promise<void> => {
    if (!(await saveEquity(deps, room, account, read)))
      balancesDueAtMs = Math.min(balancesDueAtMs, deps.now() + equityAgainMs);
  };
  const polls = createOrderPolls(deps, room, account);
  let ordersDueAtMs = 0;
  let handling: Promise<void> = Promise.resolve();

  const handle = async (event: UserDataEvent): Promise<void> => {
    switch (event.type) {
      case 'order':
        await hearOrder(deps, room, account, event.order);
        break;
      case 'balances':
        for (const balance of event.balances) balances.set(balance.asset, balance);
        isUnsaved = true;
        break;
      case 'connected':
        balancesDueAtMs = 0;
        ordersDueAtMs = 0;
        polls.hurry();
        break;
      case 'disconnected':
        deps.logger.warn({ account, detail: event.detail }, 'user-data stream is down, polling');
        break;
    }
  };
  // Events are handled in the order they came and one at a time; the one that fails does not hold up the rest.
  const drain = async (): Promise<void> => {
    for (let event = events.shift(); event; event = events.shift()) {
      await handle(event).catch((error) => {
        deps.logger.warn({ error }, 'user-data event is not committed; the next poll repairs it');
        ordersDueAtMs = 0;
        polls.hurry();
      });
    }
  };
  const subscription = room.venue.streamUserData((event) => {
    events.push(event);
    handling = handling.then(drain);
  });

  return {
    async lookOnce(): Promise<void> {
      if (isUnsaved) {
        isUnsaved = false;
        await attempt(deps, 'balances', () => value([...balances.values()]));
      }
      if (deps.now() >= balancesDueAtMs) {
        balancesDueAtMs = deps.now() + balancesEveryMs;
        await attempt(deps, 'balances', async () => {
          const read = await readBalances(deps, room, account);
          balances.clear();
          for (const balance of read) balances.set(balance.asset, balance);
          await value(read);
          await endVenueTroubles(deps, room, account);
        });
      }
      if (deps.now() >= ordersDueAtMs) {
        ordersDueAtMs = deps.now() + ordersEveryMs;
        await attempt(deps, 'orders', polls.round);
      }
    },
    async close(): Promise<void> {
      await subscription.close();
      await handling;
    },
  };
}

async function attempt(deps: ActivityDependencies, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.logger.warn({ error, what }, 'account can not be read now');
  }
}

/** Whoever asks why the equity is not known is told what the venue said, or that it said nothing. */
async function readBalances(
  { db, now }: ActivityDependencies,
  { venue }: VenueRoom,
  account: string,
): Promise<readonly Balance[]> {
  try {
    return await venue.balances();
  } catch (error) {
    const fault = error instanceof RatchetError ? `${error.code}: ${error.context['detail']}` : 'they can not be read';
    await saveBalances(db, { account, balances: [], equity: null, fault, nowMs: now() });
    throw error;
  }
}

/** The venue has just answered a signed request: what it refused before, and a ban, may be over. */
async function endVenueTroubles(deps: ActivityDependencies, { venue }: VenueRoom, account: string): Promise<void> {
  const troubles = await venueTroubles(deps.db, { account, venue: venue.name });
  const at = { account, venue: venue.name, nowMs: deps.now() };
  if (troubles.isBanned) await endBan(deps.db, at);
  if (!troubles.isHeld || !venue.clockState().isUsable) return;
  const { canTrade } = await venue.accountPermissions();
  if (canTrade) await liftForVenue(deps.db, at);
}

/** Returns whether the equity is known. */
async function saveEquity(
  deps: ActivityDependencies,
  { prices }: VenueRoom,
  account: string,
  balances: readonly Balance[],
): Promise<boolean> {
  const known = await readAccount(deps.db, account);
  if (known === undefined) return false;
  const read = equityOf(balances, known.currency, (symbol) => {
    prices.subscribe(symbol);
    return prices.latest(symbol)?.price ?? null;
  });
  await saveBalances(deps.db, {
    account,
    balances,
    equity: read.ok ? read.amount : null,
    fault: read.ok ? null : read.fault,
    nowMs: deps.now(),
  });
  return read.ok;
}
