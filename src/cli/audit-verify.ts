import type { Client } from '@temporalio/client';
import { loadPublicKey } from '../audit/keys.ts';
import { auditSourceOf } from '../audit/source.ts';
import { type AuditVerdict, verifyAudit } from '../audit/verify.ts';
import { checkpointMemo } from '../contracts/messages/names.ts';
import { print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';
import { withTemporal } from './temporal.ts';

type Options = GlobalOptions & { readonly checkpoints?: string; readonly againstTemporal?: true };

/** `ratchet audit verify`: reads the whole record and believes nothing. Its exit codes are its own: see --help. */
export function run(options: Options): Promise<number> {
  return withDatabase(options, async (db, site) => {
    const { config } = site;
    const checkpointDir = options.checkpoints ?? config.RATCHET_CHECKPOINT_DIR;
    const publicKey = loadPublicKey(config.RATCHET_CHECKPOINT_KEY_FILE);
    const otherNotes = options.againstTemporal ? await withTemporal(site, notesInTemporal) : [];
    const verdict = await verifyAudit(await auditSourceOf({ db, checkpointDir, otherNotes }), publicKey);
    const witnesses = options.againstTemporal && { inTemporal: otherNotes.length };
    print(options, { ...verdict, ...witnesses }, [
      ...describeVerdict(verdict),
      ...(witnesses ? [`${otherNotes.length} of the checkpoints were read from Temporal.`] : []),
    ]);
    return verdict.exitCode;
  });
}

/** The checkpoints that lifecycles were started with, each once: a witness that does not share the database's fate. */
export async function notesInTemporal({ workflow }: Pick<Client, 'workflow'>): Promise<readonly string[]> {
  const notes = new Set<string>();
  for await (const { memo } of workflow.list({ pageSize: 1_000 })) {
    const note = memo?.[checkpointMemo];
    if (typeof note === 'string') notes.add(note);
  }
  return [...notes];
}

function describeVerdict({ outcome, findings, firstBadSeq, ...counts }: AuditVerdict): readonly string[] {
  const { records, checkpoints, uncovered, unsealed, clockSteps } = counts;
  const clock = clockSteps === 0 ? '' : `; the database's clock was set back ${clockSteps} times`;
  const read = `${records} records, ${checkpoints} checkpoints; ${uncovered} after the last one, ${unsealed} not sealed yet${clock}`;
  if (outcome === 'ok') return [`OK: ${read}. Every link, root and signature holds.`];
  return [
    `${outcome.toUpperCase()}: ${read}.`,
    ...(firstBadSeq === undefined ? [] : [`Trust nothing from record ${firstBadSeq} on.`]),
    ...findings.map(({ kind, seq, problem }) => `  record ${seq}, ${kind}: ${problem}`),
  ];
}
