import { loadPublicKey } from '../audit/keys.ts';
import { auditSourceOf } from '../audit/source.ts';
import { type AuditVerdict, verifyAudit } from '../audit/verify.ts';
import { print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';

type Options = GlobalOptions & { readonly checkpoints?: string };

/** `ratchet audit verify`: reads the whole record and believes nothing. Its exit codes are its own: see --help. */
export function run(options: Options): Promise<number> {
  return withDatabase(options, async (db, { config }) => {
    const checkpointDir = options.checkpoints ?? config.RATCHET_CHECKPOINT_DIR;
    const publicKey = loadPublicKey(config.RATCHET_CHECKPOINT_KEY_FILE);
    const verdict = await verifyAudit(await auditSourceOf({ db, checkpointDir }), publicKey);
    print(options, verdict, describeVerdict(verdict));
    return verdict.exitCode;
  });
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
