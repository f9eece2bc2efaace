import { createColors } from 'picocolors';

/** What `npm start` says to the person who typed it. */
export type Report = {
  /** Does one step and prints a line with the time it took, and with the detail that `detail` makes of the result. */
  step<T>(name: string, work: () => Promise<T>, detail?: (result: T) => string): Promise<T>;
  note(text: string): void;
  warn(text: string): void;
  /** A result, for whoever reads standard output: an object for programs, or lines for people. */
  result(object: object, lines: readonly string[]): void;
};

/**
 * Progress goes to standard error. With `json`, standard output has only lines of JSON; without it, the same results
 * in words. Colors are used on a terminal only.
 */
export function createReport(json: boolean): Report {
  const colors = createColors(process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined);
  const say = (text: string) => process.stderr.write(`${text}\n`);
  return {
    step: async (name, work, detail) => {
      const startedAtMs = Date.now();
      try {
        const result = await work();
        const text = detail?.(result) ?? '';
        say(`  ${colors.green('✓')} ${name} … ${seconds(startedAtMs)}${text && colors.dim(`  ${text}`)}`);
        return result;
      } catch (error) {
        say(`  ${colors.red('✗')} ${name} … ${seconds(startedAtMs)}`);
        throw error;
      }
    },
    note: (text) => say(`  ${colors.dim('-')} ${text}`),
    warn: (text) => say(`  ${colors.yellow('!')} ${text}`),
    result: (object, lines) => {
      process.stdout.write(json ? `${JSON.stringify(object)}\n` : `\n${lines.join('\n')}\n\n`);
    },
  };
}

const seconds = (startedAtMs: number): string => `${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`;
