import { sleep } from '@temporalio/workflow';

/** What an edited lifecycle must not do while an earlier one runs: it asks for a timer where that one asked for more. */
export async function exit(): Promise<void> {
  await sleep('1 minute');
}
