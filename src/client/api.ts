import { type ErrorBody, errorBodySchema } from '../contracts/schemas/error-body.ts';
import { clientError, RatchetClientError } from './client-error.ts';

export type ApiAddress = {
  /** Such as `http://127.0.0.1:7420`. */
  readonly url: string;
  /** A bearer key of the API. */
  readonly key: string;
};

/** Calls the HTTP API. What it refuses arrives as a `RatchetClientError` with the API's own code. */
export type Api = {
  get<Answer>(path: string, patience?: Patience): Promise<Answer>;
  post<Answer>(path: string, body: unknown): Promise<Answer>;
};

type Patience = { readonly timeoutMs?: number; readonly signal?: AbortSignal };

const defaultTimeoutMs = 10_000;

export function createApi({ url, key }: ApiAddress): Api {
  const send = async (path: string, init: RequestInit, patience: Patience = {}): Promise<unknown> => {
    const target = new URL(path, url);
    const limit = limitOf(patience);
    try {
      const response = await fetch(target, { ...init, signal: limit.signal });
      const body: unknown = await response.json();
      if (response.ok) return body;
      throw refusal(body, { url, status: response.status });
    } catch (error) {
      if (error instanceof RatchetClientError) throw error;
      throw clientError('API_UNAVAILABLE', { url, detail: reasonOf(error) }, error);
    } finally {
      limit.end();
    }
  };
  const headers = { authorization: `Bearer ${key}`, accept: 'application/json' };
  return {
    get: async <Answer>(path: string, patience?: Patience) => (await send(path, { headers }, patience)) as Answer,
    post: async <Answer>(path: string, body: unknown) =>
      (await send(path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })) as Answer,
  };
}

// A timer of our own: of the signals that `AbortSignal.any` joins, Node forgets the timeouts with the next garbage.
function limitOf({ timeoutMs = defaultTimeoutMs, signal }: Patience): { signal: AbortSignal; end: () => void } {
  const limit = new AbortController();
  const giveUp = () => limit.abort(signal?.reason);
  const timer = setTimeout(() => limit.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs);
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  return {
    signal: limit.signal,
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    },
  };
}

function refusal(body: unknown, where: { url: string; status: number }): RatchetClientError {
  const parsed = errorBodySchema.safeParse(body);
  return parsed.success ? new RatchetClientError(parsed.data as ErrorBody) : clientError('API_UNAVAILABLE', where);
}

// `fetch` says "fetch failed" and puts the reason into the cause.
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
