import type { HoldView } from '../../contracts/messages/views.ts';
import type { Db, Tx } from '../database.ts';
import { holdsInForce, liftHold, setHold } from '../trading-state/holds.ts';

type Change = { readonly account: string; readonly nowMs: number };

const source = 'reconciliation';
const actorOf = (account: string): string => `reconciliation of ${account}`;
const scopeOf = (account: string) => ({ kind: 'account', id: account }) as const;

/** Blocks the entries of an account, unless they are blocked for this already: the first reason stays. */
export function setExcess(db: Db, { account, reason, nowMs }: Change & { readonly reason: string }): Promise<void> {
  return alone(db, account, async (tx) => {
    if ((await ownHold(tx, account, nowMs)) !== undefined) return;
    const hold = { scope: scopeOf(account), source, level: 'entries-blocked', actor: actorOf(account) } as const;
    await setHold(tx, { ...hold, reason, nowMs });
  });
}

/** Lifts what was set because of differences, and nobody else's hold. */
export function liftExcess(db: Db, { account, nowMs }: Change): Promise<void> {
  return alone(db, account, async (tx) => {
    const own = await ownHold(tx, account, nowMs);
    if (own === undefined) return;
    const reason = 'everything was read, and no more differs than may';
    const lift = { scope: scopeOf(account), source, version: own.version, actor: actorOf(account) } as const;
    await liftHold(tx, { ...lift, reason, nowMs });
  });
}

/** Two runs at once must not both find that there is no hold yet. */
function alone(db: Db, account: string, work: (tx: Tx) => Promise<void>): Promise<void> {
  return db.transaction().execute(async (tx) => {
    await tx.selectFrom('reconciliation').select('account_id').where('account_id', '=', account).forUpdate().execute();
    await work(tx);
  });
}

async function ownHold(tx: Tx, account: string, nowMs: number): Promise<HoldView | undefined> {
  const holds = await holdsInForce(tx, nowMs);
  return holds.find((hold) => hold.source === source && hold.scope.kind === 'account' && hold.scope.id === account);
}
