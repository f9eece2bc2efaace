import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** Writes the history of every workflow run that the server still has, a file each. Returns how many. */
export async function keepHistories(temporal: Client, folder: string): Promise<number> {
  mkdirSync(folder, { recursive: true });
  let kept = 0;
  for await (const { workflowId, runId, type } of temporal.workflow.list()) {
    const history = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    const { events } = JSON.parse(historyToJSON(history)) as { events: unknown };
    const file = join(folder, `${workflowId.replace(/[^\w.-]/g, '_')}-${runId}.json`);
    writeFileSync(file, JSON.stringify({ workflowId, workflowType: type, events }));
    kept += 1;
  }
  return kept;
}
