import { type ErrorCode, RatchetError } from '../domain/errors.ts';

// SQLSTATE, or the code of the socket below it. Everything else is a mistake of ours and stays the error it is.
const codes: Readonly<Record<string, ErrorCode>> = {
  '53100': 'DATABASE_FULL',
  '55P03': 'DATABASE_BUSY',
  '57014': 'DATABASE_BUSY',
  '40P01': 'DATABASE_BUSY',
  '40001': 'DATABASE_BUSY',
  '25P03': 'DATABASE_BUSY',
  '53300': 'DATABASE_UNAVAILABLE',
  '57P01': 'DATABASE_UNAVAILABLE',
  '57P02': 'DATABASE_UNAVAILABLE',
  '57P03': 'DATABASE_UNAVAILABLE',
  '28P01': 'DATABASE_REFUSED',
  '28000': 'DATABASE_REFUSED',
  '3D000': 'DATABASE_REFUSED',
  '42501': 'DATABASE_REFUSED',
  '25006': 'DATABASE_READ_ONLY',
  RA001: 'EVENT_CONFLICT',
  RA002: 'AUDIT_IMMUTABLE',
  ECONNREFUSED: 'DATABASE_UNAVAILABLE',
  ECONNRESET: 'DATABASE_UNAVAILABLE',
  EPIPE: 'DATABASE_UNAVAILABLE',
  ETIMEDOUT: 'DATABASE_UNAVAILABLE',
  ENOTFOUND: 'DATABASE_UNAVAILABLE',
  EAI_AGAIN: 'DATABASE_UNAVAILABLE',
  EHOSTUNREACH: 'DATABASE_UNAVAILABLE',
};

// The driver says these without a code. The first means that every connection of the pool was taken for too long.
const waitedInVain = /timeout exceeded when trying to connect/;
const lostConnection = /Connection terminated|not queryable|Client was closed/;

/**
 * The catalog's error for what the driver threw. Its message carries no statement, no parameters and no address:
 * those stay in `cause`.
 */
export function databaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RatchetError) return error;
  const sqlState = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const code = codes[sqlState] ?? codeWithoutState(sqlState, error.message);
  return code === undefined ? error : new RatchetError(code, contextOf(error, sqlState), { cause: error });
}

/** Of a conflict also the event's id, which is the detail that our own function gives. */
function contextOf(error: Error, sqlState: string): Readonly<Record<string, string>> {
  if (sqlState === 'RA001' && 'detail' in error) return { sqlState, eventId: String(error.detail) };
  return sqlState === '' ? {} : { sqlState };
}

/** Whether the database could not be asked at all, as opposed to a refusal or a mistake: trying later can help. */
export const isUnavailable = (error: unknown): boolean =>
  error instanceof RatchetError && (error.code === 'DATABASE_UNAVAILABLE' || error.code === 'DATABASE_BUSY');

function codeWithoutState(sqlState: string, message: string): ErrorCode | undefined {
  if (sqlState.startsWith('08')) return 'DATABASE_UNAVAILABLE';
  if (sqlState !== '') return undefined;
  if (waitedInVain.test(message)) return 'DATABASE_BUSY';
  return lostConnection.test(message) ? 'DATABASE_UNAVAILABLE' : undefined;
}
