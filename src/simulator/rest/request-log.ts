import type { Ledger, RequestPhase, RequestRecord } from '../exchange/ledger.ts';
import type { Parameters } from './parameters.ts';

/** A request under way. Its record is complete, and where it could change orders in the ledger, once it has ended. */
export type OpenRequest = {
  readonly requestId: number;
  reached(phase: RequestPhase): void;
  accepted(): void;
  struck(fault: string): void;
  read(parameters: Parameters): void;
  answered(): void;
  ended(
    answer: { readonly httpStatus: number; readonly code: number | null; readonly message: string | null } | null,
  ): void;
};

export type RequestLog = {
  open(request: { readonly receivedAtMs: number; readonly method: string; readonly path: string }): OpenRequest;
  /** Every request since the start of the process, and every one ever that could change an order. Oldest first. */
  records(): readonly RequestRecord[];
};

const recordsMax = 100_000;

export function createRequestLog(ledger: Ledger): RequestLog {
  let records: RequestRecord[] = ledger.groups.flatMap(({ entries }) =>
    entries.filter((entry) => entry.kind === 'request'),
  );
  let lastId = records.reduce((last, { requestId }) => Math.max(last, requestId), 0);
  for (const { entries } of ledger.groups) {
    for (const entry of entries) if (entry.kind === 'order') lastId = Math.max(lastId, entry.requestId ?? 0);
  }

  return {
    open({ receivedAtMs, method, path }) {
      lastId += 1;
      const record: { -readonly [key in keyof RequestRecord]: RequestRecord[key] } = {
        kind: 'request',
        requestId: lastId,
        receivedAtMs,
        method,
        path,
        parameters: {},
        phase: 'received',
        accepted: false,
        answered: false,
        httpStatus: null,
        code: null,
        message: null,
        faults: [],
      };
      if (records.length >= recordsMax) records = records.slice(recordsMax / 2);
      records.push(record);
      return follow(record, (ended) => {
        if (ended.method !== 'GET') ledger.append([ended], false);
      });
    },
    records: () => records,
  };
}

function follow(
  record: { -readonly [key in keyof RequestRecord]: RequestRecord[key] },
  onEnd: (record: RequestRecord) => void,
): OpenRequest {
  return {
    requestId: record.requestId,
    reached(phase) {
      record.phase = phase;
    },
    accepted() {
      record.accepted = true;
    },
    answered() {
      record.answered = true;
    },
    struck(fault) {
      record.faults = [...record.faults, fault];
    },
    read(parameters) {
      const unsigned = Object.entries(parameters).filter(([name]) => name !== 'signature');
      record.parameters = Object.fromEntries(unsigned);
    },
    ended(answer) {
      if (answer) Object.assign(record, answer);
      onEnd(record);
    },
  };
}
