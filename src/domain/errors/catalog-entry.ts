/** What a code means to a person. `retryable` = trying again can help. */
export type CatalogEntry = { readonly retryable: boolean; readonly summary: string; readonly remedy: string };
