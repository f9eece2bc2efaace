/**
 * The order path: everything that writes the state of an order, and the readers that go with it. No other module does.
 */
export { type BookOrder, ordersInDoubt, ordersOf, readOrder, workingOrders } from './book-order.ts';
export { commitIntent, type IntentOutcome, type OrderIntent, type RenewOutcome, renewIntent } from './intents.ts';
export {
  applyVenueOrder,
  type ReportOutcome,
  recordForeignOrder,
  type SendOutcome,
  type VenueReport,
} from './order-reports.ts';
export { recordSend } from './order-sends.ts';
export {
  type Denial,
  denyOrder,
  parkOrder,
  type Resolution,
  type ResolutionOutcome,
  resolveOrder,
} from './order-settling.ts';
