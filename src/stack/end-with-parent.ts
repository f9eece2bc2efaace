import { isMainThread } from 'node:worker_threads';

/**
 * Loaded before a child's own code (`node --import`): ends the process when the pipe to its supervisor closes. The
 * kernel closes that pipe however the supervisor dies, so that even one killed with -9 leaves nothing behind. The
 * child gets the SIGTERM it is prepared for, and is killed if that does not end it.
 */
const patienceMs = 20_000;

if (isMainThread) {
  let leaving = false;
  const leave = (): void => {
    if (leaving) return;
    leaving = true;
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), patienceMs).unref();
  };
  for (const event of ['end', 'close', 'error'] as const) process.stdin.on(event, leave);
  process.stdin.resume();
  // Watching the pipe is no reason to stay alive. Only a socket (a pipe) can be told so; a terminal can't.
  if ('unref' in process.stdin) process.stdin.unref();
}
