import { readFileSync } from 'node:fs';
import { enterTrade } from '../client/enter-trade.ts';
import type { EntryDecision } from '../contracts/messages/decision.ts';
import { RatchetError } from '../contracts/schemas/error-body.ts';
import { readTrade } from '../store/trades/trades.ts';
import { exitCodes, followHint, print } from './output.ts';
import { type GlobalOptions, withDatabase } from './site.ts';
import { withTemporal } from './temporal.ts';

/** `ratchet enter [file]`: exit code 0 when it is approved, 1 when it is denied. The same again finds the decision. */
export function run(options: GlobalOptions, file = '-'): Promise<number> {
  const request = requestFrom(file);
  return withDatabase(options, (db, site) =>
    withTemporal(site, async (temporal) => {
      const decision = await enterTrade(request, { temporal, readDecision: (tradeId) => readTrade(db, tradeId) });
      print(options, decision, [
        ...describeDecision(decision),
        ...(decision.outcome === 'approved' ? [followHint(options, decision.tradeId)] : []),
      ]);
      return decision.outcome === 'approved' ? exitCodes.done : exitCodes.refused;
    }),
  );
}

function requestFrom(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new RatchetError('REQUEST_INVALID', { file, problem: (error as Error).message }, { cause: error });
  }
}

function describeDecision({ tradeId, outcome, reasons }: EntryDecision): readonly string[] {
  return [
    `${tradeId}: ${outcome}`,
    ...reasons.map(({ code, message, remedy }) => `  ${code}: ${message} To fix: ${remedy}`),
  ];
}
