import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

// Part of the build: workers load this file instead of bundling at every start.
const workflowsPath = fileURLToPath(new URL('../../workflows/index.js', import.meta.url));
const bundlePath = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));

const say = (line: string) => void process.stderr.write(`${line}\n`);
const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: say, error: say };
const { code } = await bundleWorkflowCode({ workflowsPath, logger: quiet });
await writeFile(bundlePath, code);
