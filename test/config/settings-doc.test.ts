import { test } from 'vitest';
import { otherVariables, settings } from '../../src/contracts/schemas/config.ts';
import { expectGeneratedDoc, tableOf } from '../support/generated-doc.ts';

const code = (text: string): string => `\`${text}\``;

test('docs/settings.md lists every setting with unit, default and meaning', () => {
  const rows = Object.entries(settings).map(([name, setting]) => [
    code(name),
    setting.unit,
    'default' in setting ? code(setting.default) : '',
    setting.allowed,
    `${setting.meaning}${'secret' in setting ? ` Secret: may come from the file that \`${name}_FILE\` names.` : ''}`,
  ]);
  const others = Object.entries(otherVariables).map(([name, meaning]) => [code(name), meaning]);
  const sections = [
    '# Settings',
    introduction,
    tableOf(['variable', 'unit', 'default', 'allowed', 'meaning'], rows).trimEnd(),
    temporal,
    '## Read by other programs',
    tableOf(['variable', 'read by and for'], others).trimEnd(),
    crashPoints,
  ];
  expectGeneratedDoc('settings.md', `${sections.join('\n\n')}\n`);
});

const introduction = `Settings come from the environment and are read once, when a process starts. An empty variable is an absent one. A value
that is not allowed, a missing one that the process needs, or an unknown \`RATCHET_…\` name stops the start, and all of them
are named at once. This page is generated from \`src/contracts/schemas/config.ts\`.`;

const temporal = `The connection to Temporal is set as for every Temporal tool: \`TEMPORAL_ADDRESS\`, \`TEMPORAL_NAMESPACE\`,
\`TEMPORAL_API_KEY\`, \`TEMPORAL_TLS_…\`, or a profile in the file that \`TEMPORAL_CONFIG_FILE\` names. Without them it is the
server on this machine.`;

const crashPoints = `For tests only: \`CRASH_AT=<point>#<n>\` kills a process when it reaches a named point for the n-th time,
\`PAUSE_AT=<point>#<n>\` stops it. The points are in \`src/observability/crash-point.ts\`.`;
