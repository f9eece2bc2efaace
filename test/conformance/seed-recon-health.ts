import { compareOrders } from '../../src/domain/reconciliation/orders.ts';
import { isDifferent } from '../../src/domain/reconciliation/tolerance.ts';
import { type Adapter, decimalOf, type Replay } from './adapter.ts';

const reconcile: Replay = ({ params }) => ({
  mismatch: isDifferent(decimalOf(params['tracker']), decimalOf(params['venue']), decimalOf(params['tolerance'])),
});

const ordersOf = (ids: unknown) =>
  Array.isArray(ids) ? ids.map((id: unknown) => ({ clientOrderId: String(id) })) : null;
const idsOf = (orders: readonly { readonly clientOrderId: string }[]) =>
  orders.map(({ clientOrderId }) => clientOrderId);

export const adapter: Adapter = {
  offered: {
    reconcile,
    reconcile_qty: reconcile,
    reconcile_orders: ({ params }) => {
      const compared = compareOrders(ordersOf(params['local']) ?? [], ordersOf(params['remote']));
      if (compared === null) return { error: true, local_only: null };
      return { local_only: idsOf(compared.bookOnly), remote_only: idsOf(compared.venueOnly) };
    },
  },
  notOffered: {
    health: 'the state of the stack is told by `ratchet status`, which has other parts and names each problem',
  },
};
