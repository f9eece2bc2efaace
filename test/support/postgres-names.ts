export const templateDatabase = 'ratchet_template';

export const applicationRole = { role: 'ratchet_app', password: 'ratchet_app' } as const;

/** The same server and user, another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
