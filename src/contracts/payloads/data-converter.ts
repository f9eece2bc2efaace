import { type DataConverter, defaultPayloadConverter } from '@temporalio/common';
import { failureConverter } from './failure-converter.ts';
import { createPayloadCodec, type PayloadCodecOptions } from './payload-codec.ts';

/**
 * How a client turns values into payloads where there are payload keys. Messages and stacks of
 * failures are encrypted like everything else: Temporal leaves them plain unless it is told.
 */
export function encryptingConverter(options: PayloadCodecOptions): DataConverter {
  // A converter that is loaded already is what the client takes first, though its type does not say so.
  const loaded = {
    payloadConverter: defaultPayloadConverter,
    failureConverter,
    payloadCodecs: [createPayloadCodec(options)],
  };
  return loaded;
}
