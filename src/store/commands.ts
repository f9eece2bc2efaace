import { RatchetError } from '../domain/errors.ts';
import { hashOf } from './canonical.ts';
import { type Db, inTransaction, type Tx } from './database.ts';

/**
 * Runs an operator's command once: the same command id with the same body gets the first result again and changes
 * nothing, with another body it is refused with `COMMAND_ID_MISMATCH`. Without an id it just runs. The result is JSON.
 */
export function runOnce<Result>(
  db: Db,
  command: {
    readonly commandId: string | undefined;
    readonly kind: string;
    readonly body: unknown;
    readonly nowMs: number;
  },
  run: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const { commandId, kind, nowMs } = command;
  if (commandId === undefined) return inTransaction(db, run);
  const bodyHash = hashOf({ kind, body: command.body });
  return inTransaction(db, async (tx) => {
    // A second one at the same moment waits here until the first has ended.
    const claimed = await tx
      .insertInto('command')
      .values({ command_id: commandId, kind, body_hash: bodyHash, result: 'null', made_at_ms: nowMs })
      .onConflict((conflict) => conflict.column('command_id').doNothing())
      .returning('command_id')
      .executeTakeFirst();
    if (claimed === undefined) return firstResult<Result>(tx, commandId, bodyHash);
    const result = await run(tx);
    await tx
      .updateTable('command')
      .set({ result: JSON.stringify(result) })
      .where('command_id', '=', commandId)
      .execute();
    return result;
  });
}

async function firstResult<Result>(tx: Tx, commandId: string, bodyHash: string): Promise<Result> {
  const first = await tx
    .selectFrom('command')
    .select(['kind', 'body_hash', 'result'])
    .where('command_id', '=', commandId)
    .executeTakeFirstOrThrow();
  if (first.body_hash !== bodyHash) throw new RatchetError('COMMAND_ID_MISMATCH', { commandId, kind: first.kind });
  return first.result as Result;
}
