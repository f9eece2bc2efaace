/**
 * `sdk-download <cli|test-server> DIR`: makes the SDK download the program into the folder. The only way to ask it for that is to
 * let it start a server, which is stopped at once.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [what, downloadDir] = process.argv.slice(2);
if (downloadDir === undefined) throw new Error('usage: sdk-download <cli|test-server> DIR');

const executable = { type: 'cached-download', downloadDir } as const;
try {
  const environment =
    what === 'cli'
      ? await TestWorkflowEnvironment.createLocal({ server: { executable } })
      : await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  await environment.teardown();
  process.exit(0);
} catch (error) {
  console.error(reasonOf(error));
  process.exit(1);
}

/** The SDK's message repeats its causes and the address it asked; the last cause is what a person needs. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split(/: (?=client error|dns error|error sending)/).at(-1) ?? text;
}
