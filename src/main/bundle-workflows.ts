import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

// Part of the build: workers load this file instead of bundling at every start.
const workflowsPath = fileURLToPath(new URL('../../workflows/index.js', import.meta.url));
const bundlePath = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };
const { code } = await bundleWorkflowCode({ workflowsPath, logger: silent });
await writeFile(bundlePath, code);
