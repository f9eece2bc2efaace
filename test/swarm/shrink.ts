/**
 * Delta debugging (Zeller and Hildebrandt, 2002): the parts of what failed without which it still fails, dropped in halves,
 * quarters and so on, one by one in the end. `fails` is asked at most `asksMax` times, as each is a whole run.
 */
export async function shrink<Part>(
  parts: readonly Part[],
  fails: (kept: readonly Part[]) => Promise<boolean>,
  asksMax = 200,
): Promise<readonly Part[]> {
  let kept = parts;
  let asks = 0;
  for (let size = Math.ceil(kept.length / 2); size >= 1 && asks < asksMax; ) {
    let hasShrunk = false;
    for (let from = 0; from < kept.length && asks < asksMax; ) {
      const fewer = kept.filter((_, i) => i < from || i >= from + size);
      asks += 1;
      if (await fails(fewer)) {
        kept = fewer;
        hasShrunk = true;
      } else {
        from += size;
      }
    }
    if (size > 1) size = Math.ceil(size / 2);
    else if (!hasShrunk) break;
  }
  return kept;
}
