import type { OrderRef } from '../../src/contracts/messages/messages.ts';
import type { BookOrder } from '../../src/store/orders/book-order.ts';
import { readCurrentOrder } from '../../src/store/orders/orders.ts';
import { clientOrderIdOf } from '../../src/venue/client-order-id.ts';
import type { ActivityDependencies } from '../dependencies.ts';

/**
 * The order that a lifecycle means: the one it names or, where that was presumed dead and placed again, the latest
 * generation. A lifecycle that has not heard of that yet goes on asking for the first one.
 */
export const readCurrent = ({ db }: Pick<ActivityDependencies, 'db'>, ref: OrderRef): Promise<BookOrder | undefined> =>
  readCurrentOrder(db, ref.generation, (generation) => clientOrderIdOf({ ...ref, generation }));
