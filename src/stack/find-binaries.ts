/**
 * `find-binaries`: gets the Temporal CLI and the time-skipping test server for `npm test`, and prints the variables
 * that name them as an object of JSON.
 */
import { findTemporalCli, findTestServer } from './binaries.ts';
import { StackFailure } from './failure.ts';
import { createReport } from './report.ts';
import { repositoryRoot } from './repository.ts';

const report = createReport(true);
const skip = (source: string, reason: string) => report.note(`${source}: ${reason}`);
const root = repositoryRoot();

try {
  const cli = await findTemporalCli(root, process.env, skip);
  const testServer = await findTestServer(root, process.env, skip);
  report.result({ RATCHET_TEMPORAL_CLI: cli.path, RATCHET_TEMPORAL_TEST_SERVER: testServer.path }, []);
} catch (error) {
  if (!(error instanceof StackFailure)) throw error;
  report.warn(`${error.message}\nTo fix: ${error.remedy}.`);
  process.exit(1);
}
