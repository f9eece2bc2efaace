/** The order path: what writes the state of an order once its intent stands. No other module does. */
export { applyVenueOrder, type ReportOutcome, recordForeignOrder, type SendOutcome } from './order-reports.ts';
export { recordSend } from './order-sends.ts';
export { alertUnresolved, closeArchived, type Denial, denyOrder, parkOrder, resolveOrder } from './order-settling.ts';
export { commitReplacement } from './replace-intent.ts';
export { commitResend, ordersAtVenue, readCurrentOrder } from './resend-intent.ts';
