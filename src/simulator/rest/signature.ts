import { createHmac, timingSafeEqual } from 'node:crypto';

/** Where the request's signature stands, and the text that it signs. */
type SignedText = { readonly signature: string | null; readonly payload: string };

/** REST: the query string and the body as they were sent, put together without a separator, less the signature itself. */
export function restPayload(query: string, body: string): SignedText {
  const [plainQuery, inQuery] = withoutSignature(query);
  const [plainBody, inBody] = withoutSignature(body);
  return { signature: inQuery ?? inBody, payload: plainQuery + plainBody };
}

/** WebSocket API: every parameter but the signature, sorted by name, joined as `name=value`, not percent-encoded. */
export function socketPayload(parameters: Readonly<Record<string, unknown>>): string {
  return Object.keys(parameters)
    .filter((name) => name !== 'signature')
    .sort()
    .map((name) => `${name}=${String(parameters[name])}`)
    .join('&');
}

/** HMAC-SHA256 in hexadecimal. */
const hmac = (secret: string, payload: string): string =>
  createHmac('sha256', secret).update(payload, 'utf8').digest('hex');

/** Compares in constant time; hexadecimal digits in either case. */
export function isSignedBy(secret: string, payload: string, signature: string): boolean {
  const expected = Buffer.from(hmac(secret, payload));
  const given = Buffer.from(signature.toLowerCase());
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function withoutSignature(text: string): readonly [string, string | null] {
  const pairs = text.split('&');
  const signature = pairs.find((pair) => pair.startsWith('signature='));
  const plain = pairs.filter((pair) => pair !== signature).join('&');
  return [plain, signature === undefined ? null : decodeURIComponent(signature.slice('signature='.length))];
}
