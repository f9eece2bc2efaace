import type { PayloadCodec } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { crashPoint, isPlanned } from '../observability/crash-point.ts';

/**
 * What a worker needs to get to the crash point `beforeWorkflowTask`, and nothing where no crash is planned there. An
 * interceptor keeps the text of each placement's result; a codec that changes nothing sees it again when the server
 * hands it to the workflow: the server knows, the workflow has not run.
 */
export function beforeWorkflowTask(placement: string): {
  readonly interceptors: readonly ActivityInterceptorsFactory[];
  readonly codecs: readonly PayloadCodec[];
} {
  if (!isPlanned('beforeWorkflowTask')) return { interceptors: [], codecs: [] };
  const reported = new Set<string>();
  const keep: ActivityInboundCallsInterceptor = {
    async execute(input, next) {
      const result = await next(input);
      reported.add(JSON.stringify(result));
      return result;
    },
  };
  const codec: PayloadCodec = {
    encode: async (payloads) => payloads,
    decode: async (payloads) => {
      const isHeard = payloads.some(({ data }) => data && reported.delete(Buffer.from(data).toString('utf8')));
      if (isHeard) crashPoint('beforeWorkflowTask');
      return payloads;
    },
  };
  return {
    interceptors: [({ info }) => (info.activityType === placement ? { inbound: keep } : {})],
    codecs: [codec],
  };
}
