type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * A history without what tells one machine from another: names of hosts and processes, paths in stack traces. All that
 * a replay looks at stays.
 */
export function scrubbed(history: Json): Json {
  if (Array.isArray(history)) return history.map(scrubbed);
  if (typeof history !== 'object' || history === null) return history;
  const fields = Object.entries(history).map(([name, value]) => [name, scrubbedField(name, value)]);
  return Object.fromEntries(fields);
}

function scrubbedField(name: string, value: Json): Json {
  if (name === 'identity') return 'recorded';
  if (name === 'stackTrace') return '';
  if (name === 'taskQueue' && isSticky(value)) return { ...value, name: 'recorded-sticky' };
  return scrubbed(value);
}

const isSticky = (value: Json): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && 'kind' in value && value['kind'] === 'TASK_QUEUE_KIND_STICKY';
