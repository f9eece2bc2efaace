import type { HoldScope } from '../../contracts/messages/messages.ts';
import type { Db } from '../database.ts';

/** The entry orders that a hold on the scope is about, oldest first, whatever became of them. */
export function entriesInScope(db: Db, scope: HoldScope) {
  const entries = db.selectFrom('orders').selectAll('orders').where('purpose', '=', 'entry').orderBy('created_at_ms');
  switch (scope.kind) {
    case 'all':
      return entries;
    case 'account':
      return entries.where('account_id', '=', scope.id);
    case 'symbol':
      return entries.where('symbol', '=', scope.id);
    case 'strategy':
      return entries.where('trade_id', 'in', (eb) =>
        eb.selectFrom('trade').select('trade_id').where('strategy', '=', scope.id),
      );
  }
}
