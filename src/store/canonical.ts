import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { invariant } from '../domain/invariant.ts';

/** RFC 8785 JSON: one text for one value, so that its hash names the value. Members that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  invariant(text !== undefined, 'only a JSON value has a canonical form');
  return text;
}

/** SHA-256 of the canonical JSON, in hex. */
export const hashOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');
