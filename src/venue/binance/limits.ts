import type { IncomingHttpHeaders } from 'node:http';
import type { Lane, RateLimitKind, RatePause } from '../../domain/rate-limit.ts';
import type { RateAnswer } from '../rate-budget.ts';

/** An answer as far as it may ask for a pause: `code` and `message` are the venue's, of a refusal. */
type Answered = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly code?: number | undefined;
  readonly message?: string | undefined;
};

const second = 1000;
const minute = 60 * second;
const day = 1440 * minute;
// The longest ban that the venue names. Nobody may keep us from closing a position for longer by a slip of a digit.
const pauseMsMax = 3 * day;

type PauseRule = Pick<RatePause, 'scope' | 'isBan'> & { readonly defaultMs: number };

/** What the answer to a request of this lane asks us to wait for, if anything. */
export function pauseOf(answered: Answered, lane: Lane, nowMs: number): RatePause | undefined {
  const rule = pauseRuleOf(answered, lane);
  if (rule === undefined) return undefined;
  const { status, message = '' } = answered;
  const askedMs = (askedUntilMs(answered, nowMs) ?? nowMs + rule.defaultMs) - nowMs;
  const untilMs = nowMs + Math.min(Math.max(askedMs, second), pauseMsMax);
  return { scope: rule.scope, isBan: rule.isBan, untilMs, reason: `HTTP ${status} ${message}`.trim() };
}

function pauseRuleOf({ status, code }: Answered, lane: Lane): PauseRule | undefined {
  if (status === 418) return { scope: 'everything', isBan: true, defaultMs: 2 * minute };
  if (isOrderCount(status, code)) {
    // Where an entry met the limit an exit is still tried: fills make room. Once that is refused as well, all wait.
    return { scope: lane === 'entry' ? 'entries' : 'placements', isBan: false, defaultMs: 10 * second };
  }
  if (status === 429 || code === -1003) return { scope: 'everything', isBan: false, defaultMs: minute };
  // The firewall: whatever offends it does so again if it comes at once.
  if (status === 403) return { scope: 'everything', isBan: false, defaultMs: 30 * second };
  return code === -1008 ? { scope: 'entries', isBan: false, defaultMs: 2 * minute } : undefined;
}

/** Too many orders that have not filled; a replacement tells it under codes of its own. */
const isOrderCount = (status: number, code: number | undefined): boolean =>
  code === -1015 || (status === 429 && (code === -2021 || code === -2022));

/** `Retry-After` counts seconds, whatever our clock says; a ban's text has a time by the venue's clock. */
function askedUntilMs({ headers, message }: Answered, nowMs: number): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  if (Number.isFinite(seconds)) return nowMs + seconds * second;
  const banned = message?.match(/banned until (\d{13})\b/)?.[1];
  return banned === undefined ? undefined : Number(banned);
}

const kindOfHeader: Record<string, RateLimitKind> = { 'used-weight': 'weight', 'order-count': 'orders' };
const unitMs: Record<string, number> = { s: second, m: minute, h: 60 * minute, d: day };

/** `X-MBX-USED-WEIGHT-1M: 20`, `X-MBX-ORDER-COUNT-10S: 3`. */
export function usedOf(headers: IncomingHttpHeaders): RateAnswer['used'] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const [, what = '', number, unit = ''] = name.match(/^x-mbx-(used-weight|order-count)-(\d+)([smhd])$/) ?? [];
    const kind = kindOfHeader[what];
    const count = Number(value);
    if (kind === undefined || !Number.isInteger(count)) return [];
    return [{ kind, windowMs: Number(number) * (unitMs[unit] ?? 0), count }];
  });
}
