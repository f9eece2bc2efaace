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
  get<Answer>(path: string, options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<Answer>;
  post<Answer>(path: string, body: unknown): Promise<Answer>;
};

const defaultTimeoutMs = 10_000;

export function createApi({ url, key }: ApiAddress): Api {
  const send = async (path: string, init: RequestInit): Promise<unknown> => {
    const target = new URL(path, url);
    try {
      const response = await fetch(target, init);
      const body: unknown = await response.json();
      if (response.ok) return body;
      throw refusal(body, { url, status: response.status });
    } catch (error) {
      if (error instanceof RatchetClientError) throw error;
      throw clientError('API_UNAVAILABLE', { url, detail: reasonOf(error) }, error);
    }
  };
  const headers = { authorization: `Bearer ${key}`, accept: 'application/json' };
  return {
    get: async <Answer>(path: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) => {
      const timeout = AbortSignal.timeout(options.timeoutMs ?? defaultTimeoutMs);
      const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
      return (await send(path, { headers, signal })) as Answer;
    },
    post: async <Answer>(path: string, body: unknown) =>
      (await send(path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(defaultTimeoutMs),
      })) as Answer,
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
