/** One change of a file. `find` must be in it exactly once, or the code has moved on and the bug has to be written anew. */
export type Edit = { readonly file: string; readonly find: string; readonly put: string };

/** A bug as somebody might really write it, and what must catch it. */
export type PlantedBug = {
  readonly id: string;
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The tests to run: files, and what their names must match. */
  readonly files: readonly string[];
  readonly named: RegExp;
  /** Rows of the fault table and invariants: of each a test must fail that has it in its name or in what it says. */
  readonly marks: readonly string[];
  /** What a failing test must say, so that none counts that fails for another reason. */
  readonly says: RegExp;
};

/** The thirteen. None of it is in what ships: it is put into a copy of the sources, one at a time. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    id: 'PB1',
    name: 'blind resend',
    edits: [
      {
        file: 'activities/orders/place-order.ts',
        find: "    if (result.outcome !== 'NOT_SENT' || hasAnswer || attempt >= notSentTriesMax || !isValid) return result;",
        put: `    const isLost = result.outcome === 'UNKNOWN' || (result.outcome === 'NOT_SENT' && !hasAnswer);
    if (!isLost || attempt >= notSentTriesMax || !isValid) return result;`,
      },
    ],
    files: ['test/activities/lost-answers.test.ts'],
    named: /policy park (F07: .* a '(MARKET|IOC)' |F15: .* although the order was taken)/,
    marks: ['F07', 'F15', 'I1'],
    says: /I1: /,
  },
  {
    id: 'PB2',
    name: "timestamp taken at the send, not the intent's",
    edits: [
      {
        file: 'src/venue/binance/orders.ts',
        find: '      const answer = await requests.place(order, lane, signal);',
        put: `      const fresh = { ...order, signedAtMs: await venueClock.nowMs() };
      const answer = await requests.place(fresh, lane, signal);`,
      },
    ],
    files: ['test/activities/every-boundary.test.ts', 'test/activities/halt-gate.test.ts'],
    named: /F09: .* a (MARKET|LIMIT|IOC): |F41 I8: .* window is over/,
    marks: ['F09', 'F41'],
    says: /-1021|'denied'|"denied"/,
  },
  {
    id: 'PB3',
    name: 'reservation released on UNKNOWN',
    edits: [
      {
        file: 'src/store/trades/trade-progress.ts',
        find: '  or in_doubt or filled_quantity < reported_quantity)`;',
        put: '  and not in_doubt or filled_quantity < reported_quantity)`;',
      },
    ],
    files: ['test/activities/room-in-doubt.test.ts'],
    named: /F07 I3 I16: /,
    marks: ['F07', 'I3', 'I16'],
    says: /voided_quantity: '0'/,
  },
  {
    id: 'PB4',
    name: '-2013 treated as dead',
    edits: [
      {
        file: 'src/venue/binance/orders.ts',
        find: "  if (isRefusal && answer.code === -2013) return { outcome: 'absent' };",
        put: "  if (isRefusal && answer.code === -2013) return { outcome: 'archived' };",
      },
    ],
    files: ['test/activities/lost-answers.test.ts'],
    named: /policy park F08: /,
    marks: ['F08'],
    says: /status: 'filled'/,
  },
  {
    id: 'PB5',
    name: '-1008 treated as a reject',
    edits: [
      {
        file: 'src/domain/outcome.ts',
        find: "  if (signal.status >= 500) return 'UNKNOWN';",
        put: "  if (signal.status >= 500) return signal.code === -1008 ? 'REJECTED' : 'UNKNOWN';",
      },
    ],
    files: ['test/activities/lost-answers.test.ts'],
    named: /policy park F15: the answer is 503 with -1008/,
    marks: ['F15'],
    says: /status: 'filled'/,
  },
  {
    id: 'PB6',
    name: 'second cancel sweep skipped',
    edits: [
      {
        file: 'src/domain/cancel-sweep.ts',
        find: '  const isClear = emptySinceMs !== null && look.atMs - emptySinceMs >= settleMs;',
        put: '  const isClear = emptySinceMs !== null;',
      },
    ],
    files: ['test/domain/cancel-sweep.test.ts'],
    named: /F38: /,
    marks: ['F38'],
    says: /expected true to be false/,
  },
  {
    id: 'PB7',
    name: 'audit written after the send',
    edits: [
      {
        file: 'src/store/migrations/0006-stop-orders.sql',
        find: '  perform record_event(p_event_id, p_event_type, wanted.trade_id, p_body);\n',
        put: '',
      },
      {
        file: 'activities/orders/place-order.ts',
        find: "import { type Denial, denyOrder } from '../../src/store/orders/orders.ts';",
        put: `import { type Denial, denyOrder } from '../../src/store/orders/orders.ts';
import { record } from '../../src/store/record.ts';`,
      },
      {
        file: 'activities/orders/place-order.ts',
        find: '  const result = await sendUntilSent(deps, room.venue, order);',
        put: `  const result = await sendUntilSent(deps, room.venue, order);
  const { sends: _, reported: __, ...data } = order;
  const intent = {
    type: order.purpose === 'entry' ? 'OrderIntent' : 'ExitIntent',
    key: [order.clientOrderId],
    tradeId: order.tradeId,
    atMs: order.createdAtMs,
    actor: { type: 'system', id: 'order-path' },
    data,
  } as const;
  if (order.sendEpoch === 1) await deps.db.transaction().execute((tx) => record(tx, intent));`,
      },
    ],
    files: ['test/activities/slow-record.test.ts', 'test/activities/record-before-send.test.ts'],
    named: /F68: .* whose time is over|CP4 I7: dead at #1\d /,
    marks: ['F68', 'CP4', 'I7'],
    says: /status: 'denied'|ArrayContaining/,
  },
  {
    id: 'PB8',
    name: 'fills deduplicated by time',
    edits: [
      {
        file: 'src/store/orders/fills.ts',
        find: '  const byId = new Map(fills.map((fill) => [fill.venueTradeId, fill]));',
        put: `  const byTime = new Map(fills.map((fill) => [fill.transactedAtMs, fill]));
  const byId = new Map([...byTime.values()].map((fill) => [fill.venueTradeId, fill]));`,
      },
    ],
    files: ['test/activities/order-ends.test.ts'],
    named: /F32: /,
    marks: ['F32'],
    says: /filledQuantity/,
  },
  {
    id: 'PB9',
    name: 'monitor started before the fill',
    edits: [
      {
        file: 'src/store/trades/trade-progress.ts',
        find: '  if (guarded === undefined || first === undefined || !(hasNewFills || hasJustEnded)) return;\n',
        put: `  const { symbol = '', side, quantity } = trade.request.legs[news.leg] ?? {};
  const monitored = guarded ?? ({ leg: news.leg, symbol, side: side === 'SELL' ? 'short' : 'long' } as PositionRow);
`,
      },
      {
        file: 'src/store/trades/trade-progress.ts',
        find: '    entryQuantity: guarded.entry_quantity,\n    entryQuote: guarded.entry_quote,\n    isFinal,',
        put: `    entryQuantity: (quantity ?? '0') as EntryProgressed['entryQuantity'],
    entryQuote: monitored.entry_quote ?? '0',
    isFinal: isFinal && hasJustEnded,`,
      },
      {
        file: 'src/store/trades/trade-progress.ts',
        find: '    firstFillAtMs: first.transacted_at_ms,\n    firstVenueTradeId: first.venue_trade_id,',
        put: "    firstFillAtMs: first?.transacted_at_ms ?? nowMs,\n    firstVenueTradeId: first?.venue_trade_id ?? '0',",
      },
      {
        file: 'src/store/trades/trade-progress.ts',
        find: 'entryProgressedMessages(trade, guarded, progress)',
        put: 'entryProgressedMessages(trade, monitored, progress)',
      },
    ],
    files: ['test/activities/monitor-start.test.ts'],
    named: /F28: |F29: |F31: |F35: /,
    marks: ['F28', 'F29', 'F31', 'F35'],
    says: /entryQuantity|0\.[34]/,
  },
  {
    id: 'PB10',
    name: 'halt checked only before the reserve',
    edits: [
      {
        file: 'src/store/migrations/0005-intents.sql',
        find: `  in_force := strictest_hold(the_trade.account_id, the_trade.strategy, wanted.symbol, wanted.created_at_ms);
  if in_force.hold_id is not null then return ('held', in_force.hold_id, null)::intent_result; end if;
`,
        put: '',
      },
    ],
    files: ['test/activities/halt-gate.test.ts'],
    named: /F41 I8: .* has no intent yet, is sent/,
    marks: ['F41'],
    says: /TRADING_STATE_BLOCKED/,
  },
  {
    id: 'PB11',
    name: 'chain without tail checkpoint',
    edits: [
      {
        file: 'src/audit/claims.ts',
        find: '    if (claims.has(note)) continue;',
        put: '    if (claims.size > 0) continue;',
      },
      {
        file: 'src/audit/tail.ts',
        find: '  if (newest === undefined) return;\n\n  const { lastSeq } = await readHead(options.db);',
        put: `  if (newest === undefined) return;

  const { seq, lastSeq } = await readHead(options.db);
  if (seq < newest.size) return;`,
      },
    ],
    files: ['test/audit/verify.test.ts', 'test/audit/lost-tail.test.ts'],
    named: /F65: verifyAudit (finds a cut tail|of a tail that nothing outside)|F61 I6: /,
    marks: ['F65', 'F61', 'I6'],
    says: /tampered|AUDIT_TAIL_LOST/,
  },
  {
    id: 'PB12',
    name: 'resume by a single person',
    edits: [
      {
        file: 'src/store/trading-state/resuming.ts',
        find: '    if (needed <= 1) return liftIn(tx, asked, nowMs);',
        put: '    if (needed <= 1 || by !== undefined) return liftIn(tx, asked, nowMs);',
      },
    ],
    files: ['test/store/resuming.test.ts', 'test/api/approvals.test.ts'],
    named: /F45/,
    marks: ['F45'],
    says: /requested|lifted/,
  },
  {
    id: 'PB13',
    name: 'a later definite error clears an earlier UNKNOWN',
    edits: [
      {
        file: 'src/store/orders/order-sends.ts',
        find: `    .where('client_order_id', '=', clientOrderId)
    .execute();
  return rows.map((row) => row.outcome);`,
        put: `    .where('client_order_id', '=', clientOrderId)
    .orderBy('send_epoch', 'desc')
    .limit(1)
    .execute();
  return rows.map((row) => row.outcome);`,
      },
    ],
    files: ['test/activities/venue-refusals.test.ts'],
    named: /F86: /,
    marks: ['F86'],
    says: /rejected/,
  },
];
