import { type Decimal, decimal, decimalPlaces } from '../../domain/decimal.ts';
import { refusals } from '../exchange/refusal.ts';

/** A request's parameters, by name. One that is in the query and in the body counts as in the query. */
export type Parameters = Readonly<Record<string, string>>;

const legalNumber = '^([0-9]{1,20})(\\.[0-9]{1,20})?$';
const legalWhole = '^[0-9]{1,20}$';
const legalClientId = '^[a-zA-Z0-9-_]{1,36}$';

export function readParameters(query: string, body: string): Parameters {
  const fromQuery = pairsOf(query);
  const fromBody = pairsOf(body);
  return Object.fromEntries([...fromBody, ...fromQuery]);
}

function pairsOf(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (pairs.has(name)) throw refusals.duplicateParameter();
    pairs.set(name, value);
  }
  return pairs;
}

/** Every parameter that was sent must be one that the endpoint reads. */
export function checkAllRead(parameters: Parameters, known: readonly string[]): void {
  const sent = Object.keys(parameters);
  const read = sent.filter((name) => known.includes(name));
  if (read.length < sent.length) throw refusals.unread(read.length, sent.length);
}

export function mandatory(parameters: Parameters, name: string): string {
  const value = parameters[name];
  if (value === undefined || value === '') throw refusals.missing(name);
  return value;
}

/** The parameter, or undefined when it was not sent. Sent empty is a fault. */
export function optional(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  if (value === '') throw refusals.empty(name);
  return value;
}

/** A positive decimal with at most eight places, which is what every asset here has. */
export function decimalOf(name: string, text: string): Decimal {
  if (!new RegExp(legalNumber).test(text)) throw refusals.illegalCharacters(name, legalNumber);
  const value = decimal(text);
  if (decimalPlaces(value) > 8) throw refusals.precision(name);
  return value;
}

export function wholeOf(name: string, text: string): number {
  if (!new RegExp(legalWhole).test(text)) throw refusals.illegalCharacters(name, legalWhole);
  return Number(text);
}

export function optionalWhole(parameters: Parameters, name: string): number | undefined {
  const text = optional(parameters, name);
  return text === undefined ? undefined : wholeOf(name, text);
}

/** `limit`, at least 1 and at most what the endpoint allows. */
export function limitOf(parameters: Parameters, standard: number, max: number): number {
  const limit = optionalWhole(parameters, 'limit') ?? standard;
  if (limit < 1) throw refusals.invalidData('limit');
  return Math.min(limit, max);
}

/** A client order id as the exchange's pattern wants it. */
export function clientIdOf(name: string, text: string): string {
  if (!new RegExp(legalClientId).test(text)) throw refusals.illegalCharacters(name, legalClientId);
  return text;
}
