/** Orders that only one side has. */
export type OrderComparison<Book, Listed> = {
  readonly bookOnly: readonly Book[];
  readonly venueOnly: readonly Listed[];
};

type Identified = { readonly clientOrderId: string };

/**
 * Which orders only the book or only the venue has, by client order id. Null when the venue's could not be read: an
 * empty answer would make every order of the book look lost.
 */
export function compareOrders<Book extends Identified, Listed extends Identified>(
  book: readonly Book[],
  venue: readonly Listed[] | null,
): OrderComparison<Book, Listed> | null {
  if (venue === null) return null;
  const inBook = new Set(book.map(({ clientOrderId }) => clientOrderId));
  const atVenue = new Set(venue.map(({ clientOrderId }) => clientOrderId));
  return {
    bookOnly: book.filter(({ clientOrderId }) => !atVenue.has(clientOrderId)),
    venueOnly: venue.filter(({ clientOrderId }) => !inBook.has(clientOrderId)),
  };
}
