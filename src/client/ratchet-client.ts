import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import type { EntryDecision } from '../contracts/messages/decision.ts';
import { encryptingConverter } from '../contracts/payloads/data-converter.ts';
import { parsePayloadKeys, payloadKeysPattern } from '../contracts/payloads/payload-keys.ts';
import type { MarketView, StatusView } from '../contracts/schemas/status-view.ts';
import type {
  StoredDecision,
  TradePhase,
  TradeRecord,
  TradeSummary,
  TradeView,
} from '../contracts/schemas/trade-view.ts';
import { type Api, type ApiAddress, createApi } from './api.ts';
import { clientError, RatchetClientError } from './client-error.ts';
import { enterTrade } from './enter-trade.ts';
import { followTrade } from './follow-trade.ts';

export type RatchetSettings = {
  /** The address of a server, with whatever else its connection needs; or a connection that stays the caller's. */
  readonly temporal:
    | (ConnectionOptions & { readonly address: string; readonly namespace?: string })
    | { readonly connection: Connection; readonly namespace?: string };
  readonly api: ApiAddress;
  /** RATCHET_PAYLOAD_KEYS of the workers, where they encrypt. */
  readonly payloadKeys?: string | undefined;
};

export type TradeFilter = {
  readonly phase?: TradePhase;
  /** Only trades that have not ended. */
  readonly live?: boolean;
  readonly account?: string;
  readonly strategy?: string;
  readonly symbol?: string;
  /** 50 unless said otherwise, at most 500; the newest first. */
  readonly limit?: number;
};

/** All that a bot needs. Every error is a `RatchetClientError` with a code and a remedy. */
export type RatchetClient = {
  /**
   * Opens a trade, in the form of docs/connecting-a-bot.md. A denial is a decision, with every reason; only what can't be
   * decided throws: REQUEST_INVALID with every fault, TRADE_ID_MISMATCH, UNDECIDED. Sending the same again is safe.
   */
  enter(request: unknown): Promise<EntryDecision>;
  trade(tradeId: string): Promise<TradeView>;
  trades(filter?: TradeFilter): Promise<readonly TradeSummary[]>;
  /** The trade's records as they come, until it has ended. */
  follow(
    tradeId: string,
    options?: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<TradeRecord, void, undefined>;
  /** Asks for the exit. `already` when somebody did before. */
  close(
    tradeId: string,
    why: { readonly reason: string; readonly actor?: string },
  ): Promise<{ readonly outcome: 'requested' | 'already' }>;
  /** What runs, what is held, what is wrong. */
  state(): Promise<StatusView>;
  /** Last price and rules of a symbol such as `BTC/USDT`. */
  market(symbol: string): Promise<MarketView>;
  disconnect(): Promise<void>;
};

/** @throws RatchetClientError TEMPORAL_UNAVAILABLE when the server can't be reached. */
export async function connectRatchet(settings: RatchetSettings): Promise<RatchetClient> {
  const api = createApi(settings.api);
  const { temporal, disconnect } = await connectTemporal(settings);
  return {
    enter: (request) => enterTrade(request, { temporal, readDecision: (tradeId) => readDecision(api, tradeId) }),
    trade: (tradeId) => api.get(tradePath(tradeId)),
    trades: async (filter = {}) => {
      const { trades } = await api.get<{ trades: readonly TradeSummary[] }>(`/v1/trades${queryOf(filter)}`);
      return trades;
    },
    follow: (tradeId, options) => followTrade(api, tradeId, options),
    close: (tradeId, why) => api.post(`${tradePath(tradeId)}/close`, why),
    state: () => api.get('/v1/status'),
    market: (symbol) => api.get(`/v1/markets/${encodeURIComponent(symbol)}`),
    disconnect,
  };
}

async function connectTemporal({
  temporal,
  payloadKeys,
}: RatchetSettings): Promise<{ readonly temporal: Client; readonly disconnect: () => Promise<void> }> {
  const { namespace = 'default' } = temporal;
  const common = { namespace, ...(payloadKeys !== undefined && { dataConverter: converterOf(payloadKeys) }) };
  if ('connection' in temporal) {
    return { temporal: new Client({ connection: temporal.connection, ...common }), disconnect: async () => {} };
  }
  const { namespace: _, ...options } = temporal;
  const connection = await Connection.connect(options).catch((error: unknown) => {
    throw clientError('TEMPORAL_UNAVAILABLE', { address: temporal.address, detail: String(error) }, error);
  });
  return { temporal: new Client({ connection, ...common }), disconnect: () => connection.close() };
}

function converterOf(payloadKeys: string) {
  if (!payloadKeysPattern.test(payloadKeys)) {
    throw clientError('CONFIG_INVALID', { payloadKeys: '(not shown) must be id:key pairs with commas between' });
  }
  return encryptingConverter({ keys: parsePayloadKeys(payloadKeys), encryptedOnly: false });
}

async function readDecision(api: Api, tradeId: string): Promise<StoredDecision | undefined> {
  try {
    return await api.get<StoredDecision>(`${tradePath(tradeId)}/decision`);
  } catch (error) {
    if (error instanceof RatchetClientError && error.code === 'TRADE_UNKNOWN') return undefined;
    throw error;
  }
}

const tradePath = (tradeId: string): string => `/v1/trades/${encodeURIComponent(tradeId)}`;

function queryOf(filter: TradeFilter): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(Object.fromEntries(given.map(([name, value]) => [name, String(value)])));
  return query.size === 0 ? '' : `?${query.toString()}`;
}
