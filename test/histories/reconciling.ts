import {
  correctionWorkflowId,
  reconciliationId,
  taskQueues,
  workflowTypes,
} from '../../src/contracts/messages/names.ts';
import type { CorrectionVerdict, ReconciliationReport } from '../../src/contracts/messages/reconciliation.ts';
import { correctionUpdates } from '../../src/contracts/messages/reconciliation.ts';
import type { Recorded, Site } from './stories.ts';

/** Money comes to the account behind the product's back; a run finds it, and a person takes it for a transfer. */
export async function reconciled(site: Site): Promise<readonly Recorded[]> {
  await untilClean(site);
  await site.move('USDT', '300');
  const { workflowId, report } = await run(site, 'drift');
  const [found] = report.differences;
  if (found?.correctionId == null) throw new Error(`the drift was not found: ${JSON.stringify(report)}`);
  const correction = site.temporal.workflow.getHandle(correctionWorkflowId(found.correctionId));
  const verdict: CorrectionVerdict = { actor: 'recorder', reason: 'the story of a drift' };
  // Its start is on its way through the outbox.
  for (let attempt = 1; ; attempt += 1) {
    try {
      await correction.executeUpdate(correctionUpdates.approve, { args: [verdict] });
      break;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
  await correction.result();
  await untilClean(site);
  return [
    { name: 'reconciliation-drift', workflowId },
    { name: 'correction-approved', workflowId: correction.workflowId },
  ];
}

/** The first run reads the balances of the beginning; one that waits for nothing ends the holds of a story. */
async function untilClean(site: Site): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { report } = await run(site, `clean-${attempt}-${Date.now()}`);
    if (report.outcome === 'clean') return;
    if (attempt === 20) throw new Error(`book and venue do not agree: ${JSON.stringify(report)}`);
  }
}

async function run(
  { temporal }: Site,
  which: string,
): Promise<{ readonly workflowId: string; readonly report: ReconciliationReport }> {
  const workflowId = reconciliationId('paper', 'main', which);
  const input = { venue: 'paper', account: 'main', isFullDay: false, askedBy: 'recorder' };
  const options = { workflowId, taskQueue: taskQueues.watches, args: [input] as [typeof input] };
  return {
    workflowId,
    report: (await temporal.workflow.execute(workflowTypes.reconciliation, options)) as ReconciliationReport,
  };
}
