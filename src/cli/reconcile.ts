import { reconcileNow } from '../client/reconciliation.ts';
import type { ReconciliationReport } from '../contracts/messages/reconciliation.ts';
import { exitCodes, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';
import { withTemporal } from './temporal.ts';

const codes: Record<ReconciliationReport['outcome'], number> = {
  clean: exitCodes.done,
  differences: exitCodes.refused,
  unavailable: exitCodes.unavailable,
  overtaken: exitCodes.unavailable,
};

/** `ratchet reconcile`: exit code 0 when nothing differs, 1 when something does, 3 when something could not be read. */
export function run(options: GlobalOptions & { readonly fullDay: boolean }): Promise<number> {
  return withDatabase(options, (_, site) =>
    withTemporal(site, async (temporal) => {
      const { account, venue, actor } = site;
      const report = await reconcileNow(temporal, {
        venue,
        account,
        isFullDay: options.fullDay,
        askedBy: actor,
      });
      print(options, report, describeReport(report));
      return codes[report.outcome];
    }),
  );
}

function describeReport({ account, venue, outcome, parts, differences }: ReconciliationReport): readonly string[] {
  const unread = Object.entries(parts).filter(([, part]) => part !== 'read');
  return [
    `account ${account} at ${venue}: ${says[outcome]}`,
    ...differences.flatMap(({ description, correctionId }) => [
      `  ${description}`,
      ...(correctionId === null
        ? []
        : [`    to decide: ratchet approve ${correctionId} --reason …, or ratchet reject`]),
    ]),
    ...unread.map(([name, why]) => `  ${name} could not be read: ${why}`),
  ];
}

const says: Record<ReconciliationReport['outcome'], string> = {
  clean: 'book and venue agree',
  differences: 'DIFFERENCES',
  unavailable: 'nothing is known to differ, and not everything could be read',
  overtaken: 'others have looked at the same time; ask again',
};
