import { setCurrentDetails, sleep } from '@temporalio/workflow';
import type {
  ReconciliationInput,
  ReconciliationReport,
  ReconciliationStep,
} from '../src/contracts/messages/reconciliation.ts';
import type { Difference } from '../src/domain/reconciliation/difference.ts';
import { reportActivities } from './activity-proxies.ts';

/** Whoever asks for a run wants to know how things are, not that somebody else has looked. */
const looksMax = 5;
/** What is on its way between the venue and the book has arrived by then. */
const lookAgainAfterMs = 3_000;

/**
 * Compares the book with the venue once, in seconds: what is new has to be seen by a second look before it counts. What
 * needs a person waits in a workflow of its own, so that no run keeps the schedule from the next.
 */
export async function reconciliation(input: ReconciliationInput): Promise<ReconciliationReport> {
  const { reconcileAccount } = reportActivities(input.venue);
  let suspects: readonly Difference[] | null = null;
  for (let looks = 1; ; looks += 1) {
    const looked: ReconciliationStep = await reconcileAccount({ ...input, suspects });
    if (looked.step === 'done') {
      if (looked.report.outcome === 'overtaken' && input.askedBy !== null && looks < looksMax) {
        suspects = null;
        continue;
      }
      setCurrentDetails(describe(looked.report));
      return looked.report;
    }
    suspects = looked.suspects;
    setCurrentDetails(`Looking again, because of ${suspects.length} differences that nobody knew`);
    await sleep(lookAgainAfterMs, { summary: 'let arrive what is on its way' });
  }
}

function describe({ outcome, parts, differences }: ReconciliationReport): string {
  const unread = Object.entries(parts).filter(([, part]) => part !== 'read');
  return [
    `**${outcome}**: ${differences.length} differences`,
    ...differences.map(
      ({ description, correctionId }) => `- ${description}${correctionId ? ` (\`${correctionId}\`)` : ''}`,
    ),
    ...unread.map(([name, why]) => `- ${name} not read: ${why}`),
  ].join('\n');
}
