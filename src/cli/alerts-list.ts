import { alertsSchema } from '../contracts/schemas/alerts.ts';
import { openAlerts } from '../store/alerts.ts';
import { exitCodes, print, utc } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

/** `ratchet alerts`: what is open, and what ends it. */
export function run(options: GlobalOptions): Promise<number> {
  return withDatabase(options, async (db) => {
    const { alerts } = alertsSchema.parse({ alerts: await openAlerts(db) });
    const lines = alerts.flatMap(({ alertId, severity, code, raisedAtMs, message, endsWith }) => [
      `${alertId}  ${severity}  ${code}  since ${utc(raisedAtMs)}`,
      `  ${message}`,
      endsWith === null ? `  ends by hand: ratchet alerts resolve ${alertId} --reason TEXT` : `  ends with ${endsWith}`,
    ]);
    print(options, { alerts }, lines.length === 0 ? ['No alerts.'] : lines);
    return exitCodes.done;
  });
}
