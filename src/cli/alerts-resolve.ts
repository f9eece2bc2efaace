import { alertIdText } from '../contracts/schemas/alerts.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { resolveByHand } from '../store/alerts.ts';
import { exitCodes, print, utc } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

/** `ratchet alerts resolve <id>`: a person has looked after what has happened. */
export function run(options: GlobalOptions & { readonly reason: string }, id: string): Promise<number> {
  return withDatabase(options, async (db, { actor }) => {
    if (!alertIdText.safeParse(id).success) throw new RatchetError('ALERT_UNKNOWN', { alertId: id });
    const alertId = Number(id);
    const ended = await resolveByHand(db, { alertId, actor, reason: options.reason, nowMs: Date.now() });
    if (ended.outcome === 'unknown-alert') throw new RatchetError('ALERT_UNKNOWN', { alertId });
    const { code } = ended;
    if (ended.outcome === 'ends-by-itself') {
      throw new RatchetError('ALERT_ENDS_BY_ITSELF', { alertId, code, endsWith: ended.endsWith });
    }
    const said = ended.outcome === 'resolved' ? 'resolved' : `was resolved already, ${utc(ended.resolvedAtMs)}`;
    print(options, { alertId, ...ended }, [`${alertId}  ${code}: ${said}`]);
    return exitCodes.done;
  });
}
