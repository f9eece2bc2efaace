import type { ColumnType } from 'kysely';

/** A jsonb column: read as the value, written as JSON text, so that an array can't become a PostgreSQL array. */
export type Json<Value> = ColumnType<Value, string, string>;
export type JsonOrNull<Value> = ColumnType<Value | null, string | null | undefined, string | null>;
/** An identity column: given by the database, never changed. */
export type Identity = ColumnType<number, never, never>;
