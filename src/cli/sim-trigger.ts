import { RatchetError } from '../contracts/schemas/error-body.ts';
import { exitCodes, print } from './output.ts';
import { askPaperVenue, type Trouble, troubleLines } from './paper-control.ts';
import type { GlobalOptions } from './site.ts';

type Triggered = {
  readonly name: string;
  readonly does: string;
  readonly expect: string;
  readonly troubles: readonly Trouble[];
};

/** `ratchet sim trigger`: plays a scenario. The venue knows which there are and what they take. */
export async function run(options: GlobalOptions, name: string, settings: readonly string[]): Promise<number> {
  const triggered = await askPaperVenue<Triggered>(options, 'POST', 'trigger', { ...parametersOf(settings), name });
  const { does, expect, troubles } = triggered;
  const own = troubles.filter((trouble) => trouble.name === name);
  print(options, triggered, [
    `At the venue: ${does}`,
    `At Ratchet:   ${expect}`,
    ...(own.length > 0 ? troubleLines(own) : []),
  ]);
  return exitCodes.done;
}

/** `holdMs` as the command line writes it. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const nameOf = (flag: string): string =>
  flag.slice('--'.length).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** `--key value` and `--key=value`, which only the venue can judge. */
function parametersOf(settings: readonly string[]): Readonly<Record<string, string>> {
  const words = settings.flatMap((word) => (/^--[^=]+=/.test(word) ? splitAtEquals(word) : [word]));
  const parameters: Record<string, string> = {};
  for (let index = 0; index < words.length; index += 2) {
    const [flag = '', value] = words.slice(index, index + 2);
    if (!flag.startsWith('--') || value === undefined) {
      throw new RatchetError('SCENARIO_INVALID', { problem: `${flag}: parameters are given as --key value` });
    }
    parameters[nameOf(flag)] = value;
  }
  return parameters;
}

const splitAtEquals = (word: string): readonly string[] => [
  word.slice(0, word.indexOf('=')),
  word.slice(word.indexOf('=') + 1),
];
