import type { PlantedBug } from './bugs.ts';

/** What of vitest's JSON report matters here. */
export type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly Assertion[];
  }[];
};

type Assertion = {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages?: readonly string[] | null;
};

/** A test that caught it, and how many more of the same file did. */
export type Caught = { readonly file: string; readonly name: string; readonly more: number };

export type Verdict =
  | { readonly outcome: 'caught'; readonly tests: readonly Caught[] }
  | { readonly outcome: 'failed'; readonly why: string };

type Test = { readonly file: string; readonly name: string; readonly status: string; readonly said: string };

/**
 * Whether a bug was caught: the tests named for it passed without it (`sound`), and with it (`planted`) one failed
 * for each row and invariant, saying what the bug does. A file that can't be loaded has no tests and shows nothing.
 */
export function verdictOf(bug: PlantedBug, sound: Report, planted: Report): Verdict {
  const before = testsOf(bug, sound);
  const ill = before.filter(({ status }) => status !== 'passed');
  if (before.length === 0) return failed('no test has the names that it is to be caught by');
  if (ill.length > 0) return failed(`without the bug too, this fails: ${ill[0]?.name}\n${ill[0]?.said}`);
  const red = testsOf(bug, planted).filter(({ status }) => status === 'failed');
  if (red.length === 0) return failed('no test fails');
  const shown = red.filter(({ said }) => bug.says.test(said));
  if (shown.length === 0) return failed(`${red[0]?.name} fails, but for another reason:\n${red[0]?.said}`);
  const missing = bug.marks.filter((mark) => !shown.some(({ name, said }) => hasMark(mark, `${name} ${said}`)));
  if (missing.length > 0) return failed(`no test of ${missing.join(', ')} fails for it`);
  return { outcome: 'caught', tests: byFile(shown) };
}

const hasMark = (mark: string, text: string): boolean => new RegExp(`(^|[^A-Za-z0-9])${mark}([^0-9]|$)`).test(text);

const failed = (why: string): Verdict => ({ outcome: 'failed', why });

function testsOf({ files, named }: PlantedBug, { testResults }: Report): readonly Test[] {
  return testResults.flatMap(({ name: path, assertionResults }) => {
    const file = files.find((each) => path.endsWith(each));
    if (file === undefined) return [];
    return assertionResults
      .filter(({ fullName, status }) => named.test(fullName) && /^(passed|failed)$/.test(status))
      .map(({ fullName, status, failureMessages }) => {
        return { file, name: fullName, status, said: (failureMessages ?? []).join('\n') };
      });
  });
}

function byFile(red: readonly Test[]): readonly Caught[] {
  return [...new Set(red.map(({ file }) => file))].map((file) => {
    const [first, ...more] = red.filter((test) => test.file === file);
    return { file, name: first?.name ?? '', more: more.length };
  });
}
