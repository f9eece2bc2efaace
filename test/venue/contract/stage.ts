import { decimal } from '../../../src/domain/decimal.ts';
import type { SignedOrder, Venue } from '../../../src/venue/venue.ts';
import { type Keep, keepUntilTheEnd } from '../support/closing.ts';
import { ok, type Received, type Reply, type ScriptedVenue, startScriptedVenue } from '../support/scripted-venue.ts';
import { wanted } from './answers.ts';
import { examples } from './examples.ts';

/** An adapter that talks to these servers, and gives up on an answer after a fraction of a second. */
export type MakeVenue = (servers: { readonly url: string; readonly wsUrl?: string }) => Venue;

export const order: SignedOrder = {
  ...wanted,
  quantity: decimal(wanted.quantity),
  limitPrice: decimal(wanted.limitPrice),
  side: 'BUY',
  orderType: 'LIMIT',
  timeInForce: 'GTC',
  stopPrice: null,
  signedAtMs: Date.now(),
  recvWindowMs: 3000,
};

export const routes = {
  place: 'POST /api/v3/order',
  cancel: 'DELETE /api/v3/order',
  find: 'GET /api/v3/order',
  replace: 'POST /api/v3/order/cancelReplace',
  cancelAll: 'DELETE /api/v3/openOrders',
} as const;

/** Servers that say what a test says, and the adapter under test at each of them. */
export type Stage = {
  readonly keep: Keep;
  readonly makeVenue: MakeVenue;
  scripted(
    script: Readonly<Record<string, (request: Received) => Reply>>,
  ): Promise<{ readonly server: ScriptedVenue; readonly venue: Venue }>;
};

/** Closes what a test opened after that test. */
export function aStage(makeVenue: MakeVenue): Stage {
  const keep = keepUntilTheEnd();
  return {
    keep,
    makeVenue,
    async scripted(script) {
      const exchangeInfo = () => ok(examples.exchangeInfo);
      const server = keep(await startScriptedVenue({ 'GET /api/v3/exchangeInfo': exchangeInfo, ...script }));
      return { server, venue: keep(makeVenue({ url: server.url })) };
    },
  };
}
