import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { encryptingConverter } from '../contracts/payloads/data-converter.ts';
import { createPayloadCodec, type PayloadCodecOptions } from '../contracts/payloads/payload-codec.ts';
import { fingerprintsOf, parsePayloadKeys } from '../contracts/payloads/payload-keys.ts';
import type { Config } from './config.ts';

type PayloadConfig = Pick<Config, 'RATCHET_PAYLOAD_KEYS' | 'RATCHET_PAYLOADS_ENCRYPTED_ONLY'>;

/** What a client of Temporal is made with; nothing where there are no payload keys. */
export function payloadOptions(config: PayloadConfig): { readonly dataConverter?: DataConverter } {
  const options = optionsOf(config);
  return options === undefined ? {} : { dataConverter: encryptingConverter(options) };
}

/** What a worker's data converter encrypts with. */
export function payloadCodecs(config: PayloadConfig): readonly PayloadCodec[] {
  const options = optionsOf(config);
  return options === undefined ? [] : [createPayloadCodec(options)];
}

/** The payload keys as other processes may know them; the one that writes comes first. */
export function payloadFingerprints(config: PayloadConfig): readonly string[] {
  const options = optionsOf(config);
  return options === undefined ? [] : fingerprintsOf(options.keys);
}

function optionsOf({
  RATCHET_PAYLOAD_KEYS: keys,
  RATCHET_PAYLOADS_ENCRYPTED_ONLY: encryptedOnly,
}: PayloadConfig): PayloadCodecOptions | undefined {
  return keys === undefined ? undefined : { keys: parsePayloadKeys(keys.reveal()), encryptedOnly };
}
