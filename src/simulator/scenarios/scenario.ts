import { type Stage, StageProblem } from '../control/stage.ts';

/** One thing that a scenario lets its player choose. */
export type Parameter = {
  readonly meaning: string;
  readonly standard: number | string;
  /** In words, for people. */
  readonly allowed: string;
  isAllowed(value: number | string): boolean;
};

export type Values = {
  number(name: string): number;
  text(name: string): string;
};

/** Something that goes wrong at a venue, to be played against the running one. */
export type Scenario = {
  readonly name: string;
  /** What happens at the venue, in one sentence. */
  readonly does: string;
  /** What Ratchet should be seen to do, in one sentence. */
  readonly expect: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  run(stage: Stage, values: Values): void;
};

export const wholeNumber = (meaning: string, standard: number, min: number, max: number): Parameter => ({
  meaning,
  standard,
  allowed: `a whole number from ${min} to ${max}`,
  isAllowed: (value) => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
});

export const choice = (meaning: string, standard: string, others: readonly string[]): Parameter => ({
  meaning,
  standard,
  allowed: [standard, ...others].join(', '),
  isAllowed: (value) => value === standard || others.includes(String(value)),
});

const dayMs = 86_400_000;

/** How long it lasts; the venue is as before after that, or once everything is cleared. */
export const lasting = (standardMs: number): Parameter => wholeNumber('how long it lasts, in ms', standardMs, 1, dayMs);

/** A symbol of the venue in either form; left out, the first. */
export const symbolParameter: Parameter = {
  meaning: 'which symbol; left out, the first of the venue',
  standard: '',
  allowed: 'a symbol of the venue, such as BTC/USDT',
  isAllowed: (value) => typeof value === 'string',
};

/** Reads what the player chose. Numbers may come as text, as a command line sends them. */
export function readValues({ name, parameters }: Scenario, given: Readonly<Record<string, unknown>>): Values {
  const unknown = Object.keys(given).find((each) => !Object.hasOwn(parameters, each));
  if (unknown !== undefined) {
    throw new StageProblem(
      `${name} has no ${unknown}: it has ${Object.keys(parameters).join(', ') || 'no parameters'}`,
    );
  }
  const values = new Map(
    Object.entries(parameters).map(([each, parameter]) => [each, readValue(each, parameter, given[each])]),
  );
  return {
    number: (each) => Number(values.get(each)),
    text: (each) => String(values.get(each)),
  };
}

function readValue(name: string, parameter: Parameter, given: unknown): number | string {
  if (given === undefined) return parameter.standard;
  const value = typeof parameter.standard === 'number' && isNumeral(given) ? Number(given) : given;
  if ((typeof value === 'number' || typeof value === 'string') && parameter.isAllowed(value)) return value;
  throw new StageProblem(`${name} is ${parameter.allowed}`);
}

const isNumeral = (value: unknown): boolean => typeof value === 'string' && /^-?\d+$/.test(value);
