/**
 * The last look at a line before it leaves the process. Redaction by path knows only keys, and never looks inside a
 * text: a signed URL in an error message would pass it. Keys, headers and parameters are found by name, at any depth
 * and also in JSON within JSON; known secret values by their text, as they are and as they look in a URL.
 */
export function createScrubber(secrets: readonly string[]): (line: string) => string {
  const known = [...new Set(secrets.flatMap(formsOf))].filter((text) => text.length >= secretLengthMin);
  // Longest first: an address is replaced as a whole before the password inside it.
  known.sort((a, b) => b.length - a.length);
  return (line) => {
    let clean = line;
    for (const secret of known) clean = clean.replaceAll(secret, redacted);
    for (const { pattern, replacement } of namedSecrets) clean = clean.replace(pattern, replacement);
    return clean;
  };
}

export const redacted = '[redacted]';

/** Names of fields whose value is never logged, in the spelling of our own code and of the venue's protocol. */
export const secretFields = [
  'apiKey',
  'apiSecret',
  'secret',
  'secretKey',
  'privateKey',
  'password',
  'passphrase',
  'token',
  'signature',
  'listenKey',
  'authorization',
  'cookie',
  'x-mbx-apikey',
] as const;

// Shorter texts occur in ordinary words and numbers; taking them out would tell more about them than leaving them.
const secretLengthMin = 6;

// A quote may be escaped, and more than once: JSON inside JSON.
const quote = String.raw`\\*"`;
const names = secretFields.join('|');

const namedSecrets: readonly { readonly pattern: RegExp; readonly replacement: string }[] = [
  {
    // {"apiKey":"…"} and ["X-MBX-APIKEY","…"], the form of raw headers.
    pattern: new RegExp(`(${quote}(?:${names})${quote}\\s*[:,]\\s*${quote})[^"\\\\]*`, 'gi'),
    replacement: `$1${redacted}`,
  },
  {
    // signature=… in a query; X-MBX-APIKEY: … and Authorization: Bearer … in a text.
    pattern: new RegExp(`\\b((?:${names})\\s*[=:]\\s*(?:(?:Bearer|Basic)\\s+)?)[^\\s"'\\\\&,;}\\]]+`, 'gi'),
    replacement: `$1${redacted}`,
  },
  {
    // postgresql://user:password@host
    pattern: /(:\/\/[^\s:/@"\\]*:)[^\s/@"\\]+(?=@)/g,
    replacement: `$1${redacted}`,
  },
];

function formsOf(secret: string): readonly string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
}
