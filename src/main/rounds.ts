/**
 * Goes its round every so often, never two at once: one that takes longer has the next ones skipped. What a round throws
 * goes to `onFault`, and the next one tries again. `stop` waits for the one under way.
 */
export function startRounds({
  everyMs,
  round,
  onFault,
}: {
  readonly everyMs: number;
  readonly round: () => Promise<unknown>;
  readonly onFault: (error: unknown) => void;
}): { readonly stop: () => Promise<void> } {
  let underWay: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    underWay ??= round()
      .catch(onFault)
      .finally(() => {
        underWay = undefined;
      });
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await underWay;
    },
  };
}
