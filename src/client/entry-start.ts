import type { WithStartWorkflowOperation, Workflow } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { EntryRequest } from '../contracts/messages/entry-request.ts';
import { entryId, searchAttributes, taskQueues } from '../contracts/messages/names.ts';

type StartOptions = WithStartWorkflowOperation<Workflow>['options'];

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const attributes = {
  symbol: keyword(searchAttributes.symbol),
  strategy: keyword(searchAttributes.strategy),
  account: keyword(searchAttributes.account),
  state: keyword(searchAttributes.state),
};

/** How an entry is started, by whomever. Its id is the trade's, so a second start finds the first. */
export function entryStart(request: EntryRequest) {
  return {
    workflowId: entryId(request.tradeId),
    taskQueue: taskQueues.entries,
    args: [request] as [EntryRequest],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowTaskTimeout: '3 seconds',
    staticSummary: summaryOf(request),
    typedSearchAttributes: [
      { key: attributes.symbol, value: request.legs[0]?.symbol ?? '' },
      { key: attributes.strategy, value: request.strategy },
      { key: attributes.account, value: request.account },
      { key: attributes.state, value: 'requested' },
    ],
    priority: { priorityKey: 3, fairnessKey: request.strategy },
  } satisfies StartOptions;
}

/** One line for the Temporal UI, such as `BUY 0.0125 BTC/USDT @ 46210.5 GTC, stop 45500`. */
function summaryOf({ legs, entry, exit }: EntryRequest): string {
  const isLimit = entry.type === 'LIMIT';
  const orders = legs.map(({ side, quantity, symbol, price }) =>
    [side, quantity, symbol, ...(isLimit ? ['@', price ?? entry.price] : [])].join(' '),
  );
  const rules = [
    exit.stopLoss && `stop ${exit.stopLoss.price}`,
    exit.trailingStop && `trail ${exit.trailingStop.distance}${trailUnits[exit.trailingStop.by]}`,
    exit.protectiveStop && 'held at the venue',
    exit.takeProfit && `target ${exit.takeProfit.price}`,
    exit.timeStopMs !== undefined && `for ${exit.timeStopMs / 1000} s`,
  ];
  const how = isLimit ? entry.timeInForce : 'at market';
  return [`${orders.join(' + ')} ${how}`, ...rules.filter(Boolean)].join(', ');
}

const trailUnits = { percent: '%', absolute: '', ticks: ' ticks' } as const;
