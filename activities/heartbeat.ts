import { Context } from '@temporalio/activity';

const heartbeatEveryMs = 500;

/** Runs `work` while the server is told every half second that it is alive; its signal ends with the activity. */
export async function whileBeating<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), heartbeatEveryMs);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
