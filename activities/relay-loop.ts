/**
 * Carries on what waits in the book: at once when there is news of it, and every so often for what nobody announced. A
 * round says whether there may be more, which is not waited for; one that throws is tried again.
 */
export function startRelayLoop({
  everyMs,
  onNews,
  round,
  onFault,
}: {
  readonly everyMs: number;
  readonly onNews: (listener: () => void) => () => void;
  readonly round: () => Promise<boolean>;
  readonly onFault: (error: unknown) => void;
}): { readonly stop: () => Promise<void> } {
  let stopping = false;
  let isNews = false;
  let wake: () => void = () => undefined;
  const silence = onNews(() => {
    isNews = true;
    wake();
  });

  const untilNews = () =>
    new Promise<void>((resolve) => {
      // What came while the round was under way may have come too late for it.
      if (isNews || stopping) return resolve();
      const timer = setTimeout(resolve, everyMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const running = (async () => {
    while (!stopping) {
      isNews = false;
      const isMore = await round().catch((error: unknown) => {
        onFault(error);
        return false;
      });
      if (!isMore) await untilNews();
    }
  })();

  return {
    stop: async () => {
      stopping = true;
      silence();
      wake();
      await running;
    },
  };
}
