import type { AuditEvent } from '../evidence.ts';
import { type Check, verdict } from './check.ts';

/**
 * Reconciliation is idempotent: the second run emits 0 events. A difference that was found is not found again before it
 * has gone, whoever looks and however often.
 */
export const I17: Check = ({ events }) => {
  const open = new Map<string, string>();
  // What a person has corrected is gone as well.
  const differences = events.filter(({ type }) => /^(Difference|CorrectionApplied$)/.test(type));
  return verdict(
    differences.length,
    differences.flatMap((event) => {
      const key = keyOf(event);
      const before = open.get(key);
      if (event.type === 'DifferenceFound') open.set(key, event.type);
      else open.delete(key);
      return event.type === 'DifferenceFound' && before !== undefined ? [`the difference ${key} was found twice`] : [];
    }),
  );
};

const keyOf = ({ body }: AuditEvent): string => String(body['key'] ?? body['differenceKey'] ?? JSON.stringify(body));

/**
 * No secret (key, secret, signature, token) in Temporal history, logs, audit, error messages or UI: canary-string scan
 * over every byte written. The scan is a step of its own (test/support/secret-search.ts).
 */
export const I18: Check = ({ secrets }) =>
  verdict(
    secrets?.places ?? 0,
    (secrets?.found ?? []).map((place) => `a secret stands in ${place}`),
  );

/**
 * Replay: every recorded workflow history replays without non-determinism on the new build, 100 %. The replay is a step
 * of its own (`npm run replay`).
 */
export const I19: Check = ({ replay }) =>
  verdict(
    replay?.histories ?? 0,
    (replay?.failed ?? []).map((history) => `${history} does not replay`),
  );
