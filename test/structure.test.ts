import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

// The arrows of docs/structure.md: which folder may import which, npm packages included where that matters.
type Room = { readonly folder: string; readonly mayImport: readonly string[]; readonly packages?: RegExp };

const everything = ['src/', 'workflows/', 'activities/'];

const rooms: readonly Room[] = [
  { folder: 'src/domain/', mayImport: ['src/domain/'], packages: /^big\.js$/ },
  { folder: 'src/contracts/messages/', mayImport: ['src/contracts/messages/', 'src/domain/'], packages: /^$/ },
  {
    folder: 'src/contracts/payloads/',
    mayImport: ['src/contracts/payloads/', 'src/domain/'],
    packages: /^(node:crypto|@temporalio\/common|protobufjs\/light\.js)$/,
  },
  { folder: 'src/contracts/schemas/', mayImport: ['src/contracts/', 'src/domain/'], packages: /^zod$/ },
  {
    folder: 'workflows/',
    mayImport: ['workflows/', 'src/domain/', 'src/contracts/messages/', 'type:activities/'],
    packages: /^@temporalio\/(workflow|common)$/,
  },
  {
    folder: 'activities/',
    mayImport: [
      'activities/',
      ...['domain', 'contracts', 'venue', 'prices', 'store', 'audit', 'config', 'observability'].map(
        (f) => `src/${f}/`,
      ),
    ],
  },
  {
    folder: 'src/venue/',
    mayImport: [
      'src/venue/',
      'src/domain/',
      'src/contracts/',
      'src/observability/crash-point.ts',
      'src/observability/scrubber.ts',
    ],
  },
  { folder: 'src/simulator/', mayImport: ['src/simulator/', 'src/domain/'] },
  { folder: 'src/prices/', mayImport: ['src/prices/', 'src/domain/', 'src/contracts/', 'src/venue/'] },
  {
    folder: 'src/store/',
    mayImport: ['src/store/', 'src/domain/', 'src/contracts/', 'src/observability/crash-point.ts'],
  },
  {
    folder: 'src/audit/',
    mayImport: ['src/audit/', 'src/store/', 'src/contracts/', 'src/domain/', 'type:src/observability/'],
  },
  { folder: 'src/client/', mayImport: ['src/client/', 'src/contracts/', 'src/domain/'] },
  { folder: 'src/bot/', mayImport: ['src/bot/', 'src/client/'] },
  ...['src/api/', 'src/cli/'].map((folder) => ({
    folder,
    mayImport: [
      folder,
      ...['client', 'contracts', 'domain', 'store', 'audit', 'config', 'observability'].map((f) => `src/${f}/`),
    ],
  })),
  { folder: 'src/config/', mayImport: ['src/config/', 'src/contracts/', 'src/domain/'] },
  { folder: 'src/observability/', mayImport: ['src/observability/', 'src/contracts/', 'src/domain/'] },
  { folder: 'src/stack/', mayImport: ['src/stack/', 'src/config/', 'src/contracts/', 'src/domain/errors.ts'] },
  { folder: 'src/main/', mayImport: everything },
];

type Import = { readonly file: string; readonly target: string; readonly typeOnly: boolean };

const sources = ['src', 'workflows', 'activities']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`))
  .filter((path) => /\.(ts|mjs)$/.test(path));

const imports: readonly Import[] = sources.flatMap((file) => {
  const text = readFileSync(file, 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|\bimport\('([^']+)'\)/gms);
  return [...statements].map(([, type, from, lazy]) => {
    const specifier = from ?? lazy ?? '';
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
    return { file, target, typeOnly: type !== undefined };
  });
});

const isOurs = (target: string): boolean => everything.some((folder) => target.startsWith(folder));

function isAllowed(room: Room, { target, typeOnly }: Import): boolean {
  if (!isOurs(target)) return room.packages?.test(target) ?? true;
  return room.mayImport.some((allowed) =>
    allowed.startsWith('type:') ? typeOnly && target.startsWith(allowed.slice(5)) : target.startsWith(allowed),
  );
}

describe('the arrows between folders', () => {
  test('every source file is in a room', () => {
    expect(sources.filter((file) => !rooms.some(({ folder }) => file.startsWith(folder)))).toEqual([]);
  });

  test.each(rooms)('$folder imports only what it may', (room) => {
    const offenses = imports.filter(({ file }) => file.startsWith(room.folder)).filter((one) => !isAllowed(room, one));
    expect(offenses.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test('the rules catch what they are for', () => {
    const domain = rooms[0] as Room;
    expect(isAllowed(domain, { file: 'src/domain/a.ts', target: 'zod', typeOnly: true })).toBe(false);
    expect(isAllowed(domain, { file: 'src/domain/a.ts', target: 'src/store/orders/orders.ts', typeOnly: true })).toBe(
      false,
    );
    const workflows = rooms.find(({ folder }) => folder === 'workflows/') as Room;
    expect(isAllowed(workflows, { file: 'workflows/a.ts', target: 'activities/index.ts', typeOnly: false })).toBe(
      false,
    );
    expect(isAllowed(workflows, { file: 'workflows/a.ts', target: 'activities/index.ts', typeOnly: true })).toBe(true);
  });
});

// Each rule says why, so that whoever trips over one learns the reason with the place.
describe('the style', () => {
  const offenses = (folder: string, pattern: RegExp): readonly string[] =>
    sources
      .filter((file) => file.startsWith(folder))
      .flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
      );

  test.each([
    {
      rule: 'the domain reads no clock and no dice: both arrive as arguments',
      folder: 'src/domain',
      pattern: /Date\.now|new Date\(|Math\.random/,
    },
    {
      rule: 'the simulator is deterministic: its clock and its dice are its own',
      folder: 'src/simulator',
      pattern: /Math\.random/,
    },
    { rule: 'money is never a float', folder: 'src', pattern: /\b(price|quantity|notional|pnl|fee)\??: number\b/i },
    { rule: 'nothing is left for later', folder: '', pattern: /\b(TODO|FIXME|XXX)\b/ },
    { rule: 'FIX spells canceled with one l', folder: '', pattern: /\bcancelled\b(?!.*temporal)/i },
  ])('$rule', ({ folder, pattern }) => {
    expect(offenses(folder, pattern)).toEqual([]);
  });

  test('every file fits in 300 lines', () => {
    // The schema's mirror is one list of columns a table; it reads better whole.
    const lists = ['src/store/tables.ts'];
    const long = sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 301);
    expect(long.filter((file) => !lists.includes(file))).toEqual([]);
  });
});
