import { DefaultFailureConverter } from '@temporalio/common';

/** Puts messages and stacks of failures where codecs find them. The worker loads this file by its path and by this name. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
