// `node deploy/healthy.mjs URL`: the health check of a container, with exit code 0 when the address answers well.
const answer = await fetch(process.argv[2], { signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
process.exit(answer?.ok ? 0 : 1);
